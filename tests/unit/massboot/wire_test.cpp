// The link by lists of calls: when a frame is there, what waits, what is dropped.
#include "services/massboot/wire.hpp"

#include <gtest/gtest.h>

namespace bramble::massboot {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t gigabit = 1'000'000'000;
constexpr std::size_t data_octets = 4 + 1468;
constexpr std::uint64_t frame_octets = data_octets + Wire::overhead_octets;  // 1538: a full frame
constexpr TimePoint start{1h};

TEST(WireTest, AFullFrameTakesItsOctetsAtTheLinksSpeed) {
    Wire wire(gigabit, 0ns);
    EXPECT_EQ(frame_octets, 1538U);
    EXPECT_EQ(wire.send(start, data_octets), start + 12'304ns);
    EXPECT_EQ(wire.busy(), 12'304ns);
}

TEST(WireTest, LatencyDelaysArrivalButNotTheNextFrame) {
    Wire wire(gigabit, 60us);
    EXPECT_EQ(wire.send(start, data_octets), start + 12'304ns + 60us);
    EXPECT_EQ(wire.send(start, data_octets), start + 24'608ns + 60us);
}

TEST(WireTest, AnAckIsTheSmallestFrame) {
    Wire wire(gigabit, 0ns);
    EXPECT_EQ(wire.send(start, 4), start + 672ns);  // 84 octets with preamble and gap
}

TEST(WireTest, AnIdleLinkSendsAtOnceAndIsNotBusyMeanwhile) {
    Wire wire(gigabit, 0ns);
    wire.send(start, data_octets);
    EXPECT_EQ(wire.send(start + 1s, data_octets), start + 1s + 12'304ns);
    EXPECT_EQ(wire.busy(), 24'608ns);
}

TEST(WireTest, ATenthOfTheSpeedTakesTenTimesAsLong) {
    Wire wire(gigabit / 10, 0ns);
    EXPECT_EQ(wire.send(start, data_octets), start + 123'040ns);
}

TEST(WireTest, AFullQueueDropsUntilItHasDrained) {
    Wire wire(gigabit, 0ns, 2 * frame_octets);
    // One leaves, two wait: what more comes at that instant is lost.
    EXPECT_TRUE(wire.send(start, data_octets));
    EXPECT_TRUE(wire.send(start, data_octets));
    EXPECT_TRUE(wire.send(start, data_octets));
    EXPECT_FALSE(wire.send(start, data_octets));
    EXPECT_EQ(wire.dropped(), 1U);
    EXPECT_EQ(wire.busy(), 3 * 12'304ns);  // a lost frame costs the link nothing
    EXPECT_EQ(wire.send(start + 12'304ns, data_octets), start + 4 * 12'304ns);
    EXPECT_EQ(wire.dropped(), 1U);
}

TEST(WireTest, WithoutABoundNothingIsDropped) {
    Wire wire(gigabit, 0ns);
    for (int n = 0; n < 10'000; ++n) ASSERT_TRUE(wire.send(start, data_octets));
    EXPECT_EQ(wire.dropped(), 0U);
}

}  // namespace
}  // namespace bramble::massboot
