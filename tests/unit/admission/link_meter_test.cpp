// The meter: when little traffic means a full link, and when it only means that boards think.
#include "services/admission/link_meter.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bramble::admission {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint at(Duration d) {
    return TimePoint(d);
}

// `boards` boards of which each carries `bytes_per_second`, for one window.
std::optional<LinkSample> window_of(
    LinkMeter& meter, int boards, std::uint64_t bytes_per_second, TimePoint from
) {
    for (int tick = 0; tick < 25; ++tick) {
        for (int n = 0; n < boards; ++n) {
            meter.add(fmt::format("pi-{}", n), bytes_per_second / 5, from + tick * 200ms);
        }
    }
    return meter.poll(from + 5s);
}

TEST(LinkMeterTest, NothingIsSaidBeforeTheWindowIsOver) {
    LinkMeter meter;
    EXPECT_FALSE(meter.poll(at(100s)).has_value());
    meter.add("a", 1000, at(100s));
    EXPECT_FALSE(meter.poll(at(104s)).has_value());
    ASSERT_TRUE(meter.poll(at(105s)).has_value());
    EXPECT_FALSE(meter.poll(at(200s)).has_value());
}

TEST(LinkMeterTest, BoardsAtTheirOwnSpeedDoNotFillALink) {
    LinkMeter meter;
    const auto sample = window_of(meter, 10, 4'000'000, at(0s));
    ASSERT_TRUE(sample.has_value());
    EXPECT_FALSE(sample->full);
    EXPECT_NEAR(static_cast<double>(sample->bytes_per_second), 40e6, 1e6);
}

TEST(LinkMeterTest, WhenAllAreFarSlowerThanABoardCanBeTheLinkIsFull) {
    LinkMeter meter;
    window_of(meter, 10, 4'000'000, at(0s));
    const auto sample = window_of(meter, 40, 1'000'000, at(10s));
    EXPECT_TRUE(sample->full);
    EXPECT_NEAR(static_cast<double>(sample->bytes_per_second), 40e6, 1e6);
}

TEST(LinkMeterTest, AStampedeOnASlowLinkIsSeenAlsoWhenNoBoardWasEverFast) {
    LinkMeter meter;
    EXPECT_TRUE(window_of(meter, 49, 240'000, at(0s))->full);  // 100 Mb/s
}

TEST(LinkMeterTest, OneFastBoardShowsThatTheOthersOnlyThink) {
    LinkMeter meter;
    window_of(meter, 10, 4'000'000, at(0s));
    meter.add("pi-99", 20'000'000, at(10s));
    EXPECT_FALSE(window_of(meter, 20, 500'000, at(10s))->full);
}

TEST(LinkMeterTest, FewBoardsSayNothing) {
    LinkMeter meter;
    EXPECT_FALSE(window_of(meter, 3, 1000, at(0s))->full);
}

}  // namespace
}  // namespace bramble::admission
