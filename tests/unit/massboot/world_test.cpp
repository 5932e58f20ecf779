// Small rooms of boards, booted in virtual time by the real cores.
#include "services/massboot/world.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace bramble::massboot {
namespace {

using namespace std::chrono_literals;

Plan plan_of(unsigned boards, std::uint64_t link, std::uint64_t seed = 1) {
    PlanOptions options;
    options.boards = boards;
    options.boot_bytes = boot_bytes_min;
    options.link_bits_per_second = link;
    options.seed = seed;
    auto plan = plan_of_equals(options);
    if (!plan) throw std::runtime_error(plan.error().message);
    return *plan;
}

Summary boot(const Plan& plan, bool admission) {
    World world(plan, admission);
    return summarise(world.run(nullptr));
}

std::vector<std::optional<Duration>> instants(const Plan& plan) {
    World world(plan, true);
    std::vector<std::optional<Duration>> out;
    for (const BoardRecord& board : world.run(nullptr).boards) {
        out.push_back(board.offered);
        out.push_back(board.fetched);
        out.push_back(board.up);
    }
    return out;
}

TEST(MassbootWorldTest, OneBoardFetchesAllItWasToldAndWaitsForNobody) {
    const Plan plan = plan_of(1, 1'000'000'000);
    const Summary alone = boot(plan, true);
    EXPECT_EQ(alone.up, 1U);
    EXPECT_EQ(alone.waiting_most, 0U);
    EXPECT_EQ(alone.file_timeouts, 0U);
    EXPECT_EQ(alone.retransmissions, 0U);
    EXPECT_GE(alone.bytes, plan.bytes_to_fetch());
}

TEST(MassbootWorldTest, ASeedIsTheSameRunTwiceAndAnotherSeedIsAnother) {
    const auto first = instants(plan_of(12, 200'000'000, 7));
    EXPECT_EQ(instants(plan_of(12, 200'000'000, 7)), first);
    EXPECT_NE(instants(plan_of(12, 200'000'000, 8)), first);
}

// 40 boards of 4 MB behind 10 Mbit/s: a fair share leaves each file far beyond its 30 s.
TEST(MassbootWorldTest, BehindASlowLinkBoardsGiveUpWithoutAdmissionAndNoneWithIt) {
    Plan plan = plan_of(40, 10'000'000);
    const Summary with = boot(plan, true);
    EXPECT_EQ(with.up, 40U);
    EXPECT_EQ(with.gave_up, 0U);
    EXPECT_GT(with.waiting_most, 0U);

    plan.end_after = 10min;
    const Summary without = boot(plan, false);
    EXPECT_GT(without.gave_up, 0U);
    EXPECT_EQ(without.waiting_most, 0U);
}

TEST(MassbootWorldTest, NobodyIsUpSoonerThanTheLinkCouldCarryIt) {
    const Plan plan = plan_of(20, 100'000'000);
    const Summary all = boot(plan, true);
    ASSERT_TRUE(all.last_up);
    const double carrying = static_cast<double>(plan.bytes_to_fetch()) * 8 / 100e6;
    EXPECT_GT(std::chrono::duration<double>(*all.last_up).count(), carrying);
}

TEST(MassbootWorldTest, BoardsOfAStaggeredRoomArePoweredOnOneAfterAnother) {
    PlanOptions options;
    options.boards = 4;
    options.boot_bytes = boot_bytes_min;
    options.stagger = 40s;
    const auto plan = plan_of_equals(options);
    ASSERT_TRUE(plan);
    World world(*plan, true);
    const Result result = world.run(nullptr);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(result.boards[i].powered, 10s * static_cast<int>(i));
    }
}

TEST(MassbootWorldTest, WhoWatchesCanEndTheRun) {
    const Plan plan = plan_of(4, 1'000'000'000);
    World world(plan, true);
    const Result result = world.run([](const Progress& progress) { return progress.elapsed < 3s; });
    EXPECT_GE(result.elapsed, 3s);
    EXPECT_LT(result.elapsed, 5s);
    EXPECT_EQ(summarise(result).up, 0U);
}

TEST(MassbootPlanTest, MoreBoardsThanTheBoundOrNoneAreRefused) {
    PlanOptions options;
    options.boards = 0;
    EXPECT_EQ(plan_of_equals(options).error().message, "the number of boards must be 1 to 10000");
    options.boards = boards_max + 1;
    EXPECT_FALSE(plan_of_equals(options));
    options.boards = 1;
    options.boot_bytes = boot_bytes_min - 1;
    EXPECT_EQ(
        plan_of_equals(options).error().message,
        "what a board fetches must be 4000000 to 1073741824 bytes"
    );
}

TEST(MassbootPlanTest, WhatABoardFetchesAddsUpToWhatWasAskedFor) {
    PlanOptions options;
    options.boards = 3;
    for (const virtual_board::Profile& profile : virtual_board::all_profiles()) {
        options.profile = profile;
        EXPECT_EQ(plan_of_equals(options)->bytes_to_fetch(), 3 * options.boot_bytes)
            << profile.name;
    }
}

}  // namespace
}  // namespace bramble::massboot
