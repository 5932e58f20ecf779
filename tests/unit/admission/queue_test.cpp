// Admission: the sum that decides, the order of turns, and what frees a place.
#include "services/admission/queue.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bramble::admission {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint at(Duration d) {
    return TimePoint(d);
}

constexpr Work boot{28'000'000, 16'000'000};

std::string name(int n) {
    return fmt::format("pi-{:04}", n);
}

// Lets boards in until one has to wait; gives back how many are inside.
int fill(Queue& queue, Work work = boot, TimePoint now = at(0s)) {
    int n = 0;
    while (n < 10'000 && queue.ask(name(n), "", work, now).admitted()) ++n;
    return n;
}

TEST(AdmissionTest, TwiceAsManyAsFillTheLinkAreLetInAndTheNextWaits) {
    Queue queue(Settings{});
    EXPECT_EQ(fill(queue), 49);  // 2 × 119 MB/s ÷ 4.8 MB/s
}

TEST(AdmissionTest, OnASlowLinkTheLargestFileDecides) {
    Settings settings;
    settings.link_bytes_per_second = 11'900'000;  // 100 Mb/s
    settings.fill = 100;
    Queue queue(settings);
    EXPECT_EQ(fill(queue), 17);  // 24 s × 11.9 MB/s ÷ 16 MB
}

TEST(AdmissionTest, OneBoardIsAlwaysLetIn) {
    Settings settings;
    settings.link_bytes_per_second = 1000;
    Queue queue(settings);
    EXPECT_EQ(fill(queue), 1);
}

TEST(AdmissionTest, OffLetsEveryoneIn) {
    Settings settings;
    settings.enabled = false;
    Queue queue(settings);
    EXPECT_EQ(fill(queue), 10'000);
}

TEST(AdmissionTest, AskingAgainKeepsThePlaceAndTheOldestIsNext) {
    Queue queue(Settings{});
    const int inside = fill(queue);
    queue.ask("second", "", boot, at(1s));
    EXPECT_EQ(queue.ask(name(inside), "", boot, at(8s)).waiting->position, 1U);
    EXPECT_EQ(queue.ask("second", "", boot, at(9s)).waiting->position, 2U);
    queue.on_left(name(0));
    EXPECT_EQ(queue.poll_admitted(at(10s)), std::vector{name(inside)});
    EXPECT_EQ(queue.ask("second", "", boot, at(10s)).waiting->position, 1U);
}

TEST(AdmissionTest, ABoardThatWasInsideBeforeGoesBeforeNewcomers) {
    Queue queue(Settings{});
    const int inside = fill(queue);  // name(inside) waits
    queue.on_left(name(3));
    ASSERT_EQ(queue.poll_admitted(at(1s)).size(), 1U);
    queue.ask("newcomer", "", boot, at(2s));
    EXPECT_EQ(queue.ask(name(3), "", boot, at(3s)).waiting->position, 1U);
    EXPECT_EQ(queue.status(at(3s)).waiting[1].board, "newcomer");
    EXPECT_EQ(queue.status(at(3s)).inside, static_cast<std::size_t>(inside));
}

TEST(AdmissionTest, ASilentBoardLosesItsPlaceAndOneThatFetchesKeepsIt) {
    Queue queue(Settings{});
    const int inside = fill(queue);
    for (int n = 1; n < inside; ++n) queue.on_progress(name(n), 1000, at(14s));
    queue.ask(name(inside), "", boot, at(14s));
    EXPECT_EQ(queue.poll_admitted(at(15s)), std::vector{name(inside)});
    EXPECT_EQ(queue.counters().expired, 1U);
}

TEST(AdmissionTest, AWaitingBoardThatNoLongerAsksIsForgotten) {
    Queue queue(Settings{});
    const int inside = fill(queue);
    queue.on_progress(name(0), 1, at(59s));
    EXPECT_TRUE(queue.poll_admitted(at(61s)).empty());
    EXPECT_EQ(queue.status(at(61s)).waiting.size(), 0U);
    EXPECT_EQ(
        queue.counters().expired, static_cast<std::uint64_t>(inside)
    );  // the silent ones inside, and the one outside
}

TEST(AdmissionTest, AFullGroupWaitsAndTheOthersPassIt) {
    Settings settings;
    settings.group_max = 2;
    Queue queue(settings);
    EXPECT_TRUE(queue.ask("a1", "a", boot, at(0s)).admitted());
    EXPECT_TRUE(queue.ask("a2", "a", boot, at(0s)).admitted());
    EXPECT_FALSE(queue.ask("a3", "a", boot, at(0s)).admitted());
    EXPECT_FALSE(queue.ask("b1", "b", boot, at(0s)).admitted()
    );  // somebody waits: no overtaking before the turn is given
    EXPECT_EQ(queue.poll_admitted(at(0s)), std::vector<std::string>{"b1"});
    queue.on_left("a1");
    EXPECT_EQ(queue.poll_admitted(at(1s)), std::vector<std::string>{"a3"});
}

TEST(AdmissionTest, WhatWasMeasuredCorrectsTheLinkDownwardsOnly) {
    Queue queue(Settings{});
    for (int i = 0; i < 200; ++i) queue.on_measured(60'000'000);
    EXPECT_NEAR(static_cast<double>(queue.status(at(0s)).link_bytes_per_second), 60e6, 1e6);
    for (int i = 0; i < 200; ++i) queue.on_measured(500'000'000);
    EXPECT_EQ(queue.status(at(0s)).link_bytes_per_second, 119'000'000U);
}

TEST(AdmissionTest, TheExpectedStartGrowsWithThePosition) {
    Queue queue(Settings{});
    const int inside = fill(queue);
    TimePoint last = at(0s);
    for (int n = 1; n < 400; ++n) {
        const auto decision = queue.ask(name(inside + n), "", boot, at(0s));
        ASSERT_FALSE(decision.admitted());
        EXPECT_GE(decision.waiting->expected_start, last);
        last = decision.waiting->expected_start;
    }
    EXPECT_NEAR(std::chrono::duration<double>(last - at(0s)).count(), 400 * 28.0 / 119, 10.0);
}

TEST(AdmissionTest, BeyondTheTablesBoundBoardsAreLetIn) {
    Settings settings;
    settings.link_bytes_per_second = 1;
    Queue queue(settings);
    for (std::size_t n = 0; n < Settings::boards_max; ++n)
        queue.ask(name(static_cast<int>(n)), "", boot, at(0s));
    EXPECT_TRUE(queue.ask("one-more", "", boot, at(0s)).admitted());
    EXPECT_EQ(queue.counters().overflowed, 1U);
}

}  // namespace
}  // namespace bramble::admission
