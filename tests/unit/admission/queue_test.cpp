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

TEST(AdmissionTest, ThriceAsManyAsFillTheLinkAreLetInAndTheNextWaits) {
    Queue queue(Settings{});
    EXPECT_EQ(fill(queue), 74);  // 3 × 119 MB/s ÷ 4.8 MB/s
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

TEST(AdmissionTest, ABoardThatWasInsideAndDidNotFinishGoesBeforeNewcomers) {
    Queue queue(Settings{});
    const int inside = fill(queue);  // name(inside) waits
    for (int n = 0; n < inside; ++n) {
        if (n != 3) queue.on_progress(name(n), 1, at(14s));
    }
    ASSERT_EQ(queue.poll_admitted(at(15s)), std::vector{name(inside)});  // name(3) was silent
    queue.ask("newcomer", "", boot, at(16s));
    EXPECT_EQ(queue.ask(name(3), "", boot, at(17s)).waiting->position, 1U);
    const Status status = queue.status(at(18s));
    EXPECT_EQ(status.inside, static_cast<std::size_t>(inside));
    EXPECT_TRUE(status.waiting[0].retry);
    EXPECT_EQ(status.waiting[1].board, "newcomer");
    EXPECT_EQ(status.waiting[1].waited, 2s);
}

TEST(AdmissionTest, ABoardThatHadAllItsFilesAndAsksAgainIsANewcomer) {
    Queue queue(Settings{});
    fill(queue);
    queue.on_left(name(3));
    queue.poll_admitted(at(1s));
    queue.ask("newcomer", "", boot, at(2s));
    EXPECT_EQ(queue.ask(name(3), "", boot, at(3s)).waiting->position, 2U);
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

TEST(AdmissionTest, BoardsWithoutAGroupAreNotAGroup) {
    Settings settings;
    settings.group_max = 1;
    Queue queue(settings);
    EXPECT_TRUE(queue.ask("a1", "a", boot, at(0s)).admitted());
    EXPECT_TRUE(queue.ask("x", "", boot, at(0s)).admitted());
    EXPECT_TRUE(queue.ask("y", "", boot, at(0s)).admitted());
    EXPECT_FALSE(queue.ask("a2", "a", boot, at(0s)).admitted());
}

TEST(AdmissionTest, ABoardThatFetchesAfterAllIsInsideAgain) {
    Settings settings;
    settings.link_bytes_per_second = 11'900'000;
    settings.fill = 1;  // two boards
    Queue queue(settings);
    ASSERT_EQ(fill(queue), 2);  // name(2) waits
    queue.on_progress(name(1), 1, at(14s));
    EXPECT_EQ(queue.poll_admitted(at(15s)), std::vector{name(2)});
    queue.on_progress(name(0), 1000, at(16s));  // slow, not gone
    EXPECT_EQ(queue.status(at(16s)).inside, 3U);
    queue.ask("next", "", boot, at(16s));
    queue.on_left(name(1));
    EXPECT_TRUE(queue.poll_admitted(at(17s)).empty());
    queue.on_left(name(0));
    EXPECT_EQ(queue.poll_admitted(at(17s)), std::vector<std::string>{"next"});
    EXPECT_EQ(queue.counters().uninvited, 1U);
}

TEST(AdmissionTest, ABoardThatNobodyLetInCountsOnceItFetches) {
    Queue queue(Settings{});
    const int inside = fill(queue);
    queue.on_progress("static-address", 1000, at(1s));
    queue.on_progress(name(inside), 1000, at(1s));  // another server answered it
    EXPECT_EQ(queue.status(at(1s)).inside, static_cast<std::size_t>(inside) + 2);
    EXPECT_FALSE(queue.anyone_waits());
}

TEST(AdmissionTest, WhatAFinishedBoardFetchesTakesNoPlace) {
    Queue queue(Settings{});
    ASSERT_TRUE(queue.ask("a", "", boot, at(0s)).admitted());
    queue.on_left("a");
    queue.on_progress("a", 1000, at(1s));
    EXPECT_EQ(queue.status(at(1s)).inside, 0U);
}

TEST(AdmissionTest, ABoardThatBeginsAnewDoesNotCountTwice) {
    Queue queue(Settings{});
    ASSERT_TRUE(queue.ask("a", "", boot, at(0s)).admitted());
    queue.on_progress("a", 20'000'000, at(1s));
    ASSERT_TRUE(queue.ask("a", "", boot, at(2s)).admitted());
    EXPECT_EQ(queue.status(at(2s)).inside, 1U);
}

TEST(AdmissionTest, LeavingTheRoomKeepsAPlaceInTheQueue) {
    Queue queue(Settings{});
    const int inside = fill(queue);
    queue.on_left(name(inside));  // of its boot before: its reset is already known
    EXPECT_TRUE(queue.anyone_waits());
    queue.withdraw(name(inside));
    EXPECT_FALSE(queue.anyone_waits());
}

TEST(AdmissionTest, TheNextDeadlineIsTheFirstToFallSilentOrToBeForgotten) {
    Settings settings;
    settings.silence = 100s;
    Queue queue(settings);
    EXPECT_EQ(queue.next_deadline(), std::nullopt);
    const int inside = fill(queue);  // one waits, since 0 s
    EXPECT_EQ(queue.next_deadline(), at(60s));
    queue.ask(name(inside), "", boot, at(10s));
    EXPECT_TRUE(queue.poll_admitted(at(60s)).empty());
    EXPECT_TRUE(queue.anyone_waits());
    EXPECT_EQ(queue.next_deadline(), at(70s));
    queue.poll_admitted(at(70s));
    EXPECT_EQ(queue.next_deadline(), at(100s));
}

TEST(AdmissionTest, TurningItOffLetsEverybodyInWhoWaits) {
    Queue queue(Settings{});
    const int inside = fill(queue);
    Settings off;
    off.enabled = false;
    queue.set_settings(off);
    EXPECT_EQ(queue.poll_admitted(at(1s)), std::vector{name(inside)});
}

TEST(AdmissionTest, ACorrectionFadesWhenTheLinkIsNotTheReason) {
    Queue queue(Settings{});
    for (int i = 0; i < 200; ++i) queue.on_measured(30'000'000);
    for (int i = 0; i < 5; ++i) queue.on_unhindered();
    EXPECT_GT(queue.status(at(0s)).link_bytes_per_second, 39'000'000U);
    for (int i = 0; i < 30; ++i) queue.on_unhindered();
    EXPECT_EQ(queue.status(at(0s)).link_bytes_per_second, 119'000'000U);
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
