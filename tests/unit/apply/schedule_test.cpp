// Which steps run side by side, which wait, and what a failure leaves out.
#include "provisioning/apply/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "provisioning/apply/in_order.hpp"

namespace bramble::apply {
namespace {

using testing::ElementsAre;

// 0 and 1 stand alone, 2 waits for 0, 3 for 1 and 2, 4 for all.
std::vector<Schedule::Item> diamond() {
    return {{{}, {}}, {{}, {}}, {{0}, {}}, {{1, 2}, {}}, {{0, 1, 2, 3}, {}, true}};
}

TEST(Schedule, WhatDoesNotWaitRunsSideBySide) {
    Schedule schedule(diamond(), false);
    EXPECT_EQ(schedule.next(), 0U);
    EXPECT_EQ(schedule.next(), 1U);
    EXPECT_EQ(schedule.next(), std::nullopt);
    EXPECT_FALSE(schedule.over());
    schedule.done(1);
    EXPECT_EQ(schedule.next(), std::nullopt);
    schedule.done(0);
    EXPECT_EQ(schedule.next(), 2U);
    schedule.done(2);
    EXPECT_EQ(schedule.next(), 3U);
    schedule.done(3);
    EXPECT_EQ(schedule.next(), 4U);
    EXPECT_FALSE(schedule.waiting());
    schedule.done(4);
    EXPECT_TRUE(schedule.over());
}

TEST(Schedule, WhatWantsToBeAloneIsAndOthersPassIt) {
    Schedule schedule({{{}, {"make"}}, {{}, {"make", "x"}}, {{}, {"y"}}}, false);
    EXPECT_EQ(schedule.next(), 0U);
    EXPECT_EQ(schedule.next(), 2U);
    EXPECT_EQ(schedule.next(), std::nullopt);
    schedule.done(0);
    EXPECT_EQ(schedule.next(), 1U);
}

TEST(Schedule, AFailureLetsWhatRunsEndAndNothingBegin) {
    Schedule schedule(diamond(), false);
    (void)schedule.next();
    (void)schedule.next();
    EXPECT_THAT(schedule.failed(0), testing::IsEmpty());
    EXPECT_EQ(schedule.next(), std::nullopt);
    EXPECT_FALSE(schedule.over());
    schedule.done(1);
    EXPECT_TRUE(schedule.over());
    EXPECT_TRUE(schedule.waiting()) << "steps are left";
}

TEST(Schedule, WhoKeepsGoingLosesWhatDependsOnItAlone) {
    Schedule schedule(diamond(), true);
    (void)schedule.next();
    (void)schedule.next();
    EXPECT_THAT(schedule.failed(0), ElementsAre(2U, 3U));
    EXPECT_EQ(schedule.next(), std::nullopt) << "the last waits for 1 too";
    schedule.done(1);
    EXPECT_EQ(schedule.next(), 4U) << "it begins despite failures";
    schedule.done(4);
    EXPECT_TRUE(schedule.over());
    EXPECT_FALSE(schedule.waiting());
}

// Any graph, any order of ends: every step is settled once, and none before what it waits for.
TEST(Schedule, AnyGraphComesToItsEnd) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        SCOPED_TRACE(seed);
        std::minstd_rand random(seed);
        std::vector<Schedule::Item> items(20);
        for (std::size_t step = 1; step < items.size(); ++step) {
            for (std::size_t earlier = 0; earlier < step; ++earlier) {
                if (random() % 6 == 0) items[step].after.push_back(earlier);
            }
            if (random() % 3 == 0) items[step].alone = {"x"};
        }
        Schedule schedule(items, true);
        std::vector<std::size_t> running;
        std::set<std::size_t> done, lost;
        for (int turns = 0; turns < 1000 && !schedule.over(); ++turns) {
            while (const auto step = schedule.next()) {
                for (const std::size_t earlier : items[*step].after) {
                    EXPECT_TRUE(done.contains(earlier));
                }
                running.push_back(*step);
            }
            ASSERT_FALSE(running.empty());
            const std::size_t at = random() % running.size();
            const std::size_t step = running[at];
            running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
            if (random() % 10 == 0) {
                lost.insert(step);
                for (const std::size_t one : schedule.failed(step)) lost.insert(one);
            } else {
                schedule.done(step);
                done.insert(step);
            }
        }
        EXPECT_EQ(done.size() + lost.size(), items.size());
    }
}

Event event(EventKind kind, std::size_t step, std::string text = "") {
    return {kind, step, 3, "s", std::move(text), {}};
}

TEST(InOrder, StepsAreToldOneAfterTheOther) {
    std::vector<std::string> told;
    InOrder in_order([&](const Event& one) {
        told.push_back(std::to_string(one.step) + " " + one.text);
    });
    in_order.on_event(event(EventKind::started, 1, "begins"));
    in_order.on_event(event(EventKind::started, 2, "begins"));
    in_order.on_event(event(EventKind::finished, 2, "ends"));
    in_order.on_event(event(EventKind::warning, 0, "of the whole"));
    in_order.on_event(event(EventKind::started, 3, "begins"));
    EXPECT_THAT(told, ElementsAre("1 begins", "0 of the whole"));
    in_order.on_event(event(EventKind::failed, 1, "ends"));
    EXPECT_THAT(
        told, ElementsAre("1 begins", "0 of the whole", "1 ends", "2 begins", "2 ends", "3 begins")
    );
    in_order.on_event(event(EventKind::progress, 3, "goes on"));
    EXPECT_EQ(told.back(), "3 goes on");
}

TEST(InOrder, WhatIsKeptComesWithTheEndOfTheRun) {
    std::vector<std::size_t> told;
    InOrder in_order([&](const Event& one) { told.push_back(one.step); });
    in_order.on_event(event(EventKind::started, 3));
    in_order.on_event(event(EventKind::skipped, 2));
    EXPECT_THAT(told, testing::IsEmpty());
    in_order.finish();
    EXPECT_THAT(told, ElementsAre(2U, 3U));
}

}  // namespace
}  // namespace bramble::apply
