// One transfer without its engine: slices instead of copies, the timer, late acknowledgements.
#include "services/tftp/transfer.hpp"

#include <gtest/gtest.h>

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start{std::chrono::hours(24 * 365 * 50)};

struct TransferTest : testing::Test {
    std::vector<std::byte> bytes = std::vector<std::byte>(10'000);
    std::shared_ptr<Content> content = std::make_shared<Content>(Content{bytes});
    TransferLimits limits;
    Outgoing out;
};

TEST_F(TransferTest, APayloadIsASliceOfTheContent) {
    Transfer transfer(content, Terms{}, start);
    ASSERT_TRUE(transfer.poll_transmit(out, start, limits));
    EXPECT_EQ(out.payload.data(), bytes.data());
    EXPECT_EQ(out.head().size(), 4U);
    transfer.on_ack(BlockNumber(1), start);
    ASSERT_TRUE(transfer.poll_transmit(out, start, limits));
    EXPECT_EQ(out.payload.data(), bytes.data() + 512);
}

TEST_F(TransferTest, KeepsItsContentAlive) {
    Transfer transfer(content, Terms{}, start);
    const std::weak_ptr<Content> watch = content;
    content.reset();
    EXPECT_FALSE(watch.expired());
}

// What may keep a neighbour entry fresh: only what answers an acknowledgement. A first reply may go
// to a forged address, a repetition to a board that has gone.
TEST_F(TransferTest, OnlyAnAnswerToAnAckSaysThatThePeerIsThere) {
    Transfer transfer(content, Terms{}, start);
    out.peer_is_there = true;
    transfer.poll_transmit(out, start, limits);
    EXPECT_FALSE(out.peer_is_there);
    transfer.on_ack(BlockNumber(1), start);
    transfer.poll_transmit(out, start, limits);
    EXPECT_TRUE(out.peer_is_there);
    transfer.on_deadline(start + 1s, limits);
    ASSERT_TRUE(transfer.poll_transmit(out, start + 1s, limits));
    EXPECT_FALSE(out.peer_is_there);
    transfer.on_ack(BlockNumber(2), start + 1s);
    transfer.poll_transmit(out, start + 1s, limits);
    EXPECT_TRUE(out.peer_is_there);
}

// The acknowledgement that was only late: the block went out twice, the next one once.
TEST_F(TransferTest, ALateAckAfterATimeoutAdvancesOnce) {
    Transfer transfer(content, Terms{}, start);
    transfer.poll_transmit(out, start, limits);
    transfer.on_ack(BlockNumber(1), start);
    transfer.poll_transmit(out, start, limits);
    transfer.on_deadline(start + 1s, limits);
    transfer.on_ack(BlockNumber(2), start + 1s);  // before the second copy left
    ASSERT_TRUE(transfer.poll_transmit(out, start + 1s, limits));
    EXPECT_EQ(out.payload.data(), bytes.data() + 1024);
    EXPECT_FALSE(transfer.wants_to_transmit());
    EXPECT_EQ(transfer.stats().retransmissions, 0U);
}

// Fact sheet 2.2: older firmware hangs on a block that it had, so the fastest of round trips
// teaches nothing shorter unless the operator says so.
TEST_F(TransferTest, NothingIsSentAgainBeforeASecond) {
    Transfer transfer(content, Terms{}, start);
    transfer.poll_transmit(out, start, limits);
    transfer.on_ack(BlockNumber(1), start + 1ms);
    transfer.poll_transmit(out, start + 1ms, limits);
    transfer.on_deadline(start + 1000ms, limits);
    EXPECT_FALSE(transfer.wants_to_transmit());
    transfer.on_deadline(start + 1001ms, limits);
    EXPECT_TRUE(transfer.wants_to_transmit());
}

TEST_F(TransferTest, TheWaitDoublesUpToItsCeilingAndFallsBackWithAnAck) {
    limits.retransmit.floor = 200ms;
    Transfer transfer(content, Terms{}, start);
    transfer.poll_transmit(out, start, limits);
    transfer.on_ack(BlockNumber(1), start);
    TimePoint now = start;
    for (const Duration wait : {200ms, 400ms, 800ms, 1600ms, 3200ms, 4000ms, 4000ms}) {
        ASSERT_TRUE(transfer.poll_transmit(out, now, limits));
        EXPECT_EQ(transfer.deadline() - now, wait);
        now = transfer.deadline();
        transfer.on_deadline(now, limits);
    }
    transfer.poll_transmit(out, now, limits);
    transfer.on_ack(BlockNumber(2), now);
    transfer.poll_transmit(out, now, limits);
    EXPECT_EQ(transfer.deadline() - now, 200ms);
}

TEST_F(TransferTest, NothingHappensBeforeTheDeadline) {
    Transfer transfer(content, Terms{}, start);
    transfer.poll_transmit(out, start, limits);
    transfer.on_deadline(start + 999ms, limits);
    EXPECT_FALSE(transfer.wants_to_transmit());
}

TEST_F(TransferTest, AFinishedTransferStaysFinished) {
    Transfer transfer(content, Terms{}, start);
    transfer.poll_transmit(out, start, limits);
    transfer.on_error(0);
    EXPECT_EQ(transfer.outcome(), Outcome::probe);
    transfer.on_ack(BlockNumber(1), start);
    transfer.on_error(3);
    transfer.on_deadline(start + 1h, limits);
    transfer.on_repeated_request(start + 1h, limits);
    EXPECT_FALSE(transfer.wants_to_transmit());
    EXPECT_EQ(transfer.outcome(), Outcome::probe);
}

TEST(RoundTripTest, LearnsFromSamplesAndForgetsSlowly) {
    RoundTrip round_trip;
    const RetransmitLimits limits{.floor = 10ms, .ceiling = 4s};
    EXPECT_EQ(round_trip.timeout(limits, 0), 1s);
    for (int i = 0; i < 200; ++i) round_trip.sample(30ms);
    EXPECT_EQ(round_trip.timeout(limits, 0), 60ms);  // twice the longest
    round_trip.sample(90ms);
    EXPECT_GT(round_trip.timeout(limits, 0), 60ms);
    for (int i = 0; i < 200; ++i) round_trip.sample(30ms);
    EXPECT_EQ(round_trip.timeout(limits, 0), 180ms);  // it paused once, so it may pause again
    round_trip.sample(3s);
    for (int i = 0; i < 200; ++i) round_trip.sample(30ms);
    EXPECT_EQ(round_trip.timeout(limits, 0), 1s);  // but this alone never asks for more
    EXPECT_EQ(round_trip.timeout({.floor = 1s}, 0), 1s);
    EXPECT_EQ(round_trip.timeout({.floor = 9s, .ceiling = 4s}, 0), 9s);
    round_trip.sample(Duration(-5));  // a clock that went back gives no nonsense
    EXPECT_GE(round_trip.timeout(limits, 0), 10ms);
}

TEST(RoundTripTest, OneThatWasHastyWaitsASecond) {
    RoundTrip round_trip;
    const RetransmitLimits limits{.floor = 10ms, .ceiling = 4s};
    round_trip.sample(1ms);
    EXPECT_LT(round_trip.timeout(limits, 0), 20ms);
    round_trip.was_hasty();
    EXPECT_EQ(round_trip.timeout(limits, 0), 1s);
    EXPECT_EQ(round_trip.timeout(limits, 1), 2s);
}

}  // namespace
}  // namespace bramble::tftp
