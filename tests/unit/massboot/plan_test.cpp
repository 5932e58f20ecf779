// From a fleet and its generation to what is simulated.
#include "services/massboot/plan.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "services/massboot/report.hpp"
#include "services/massboot/world.hpp"
#include "tests/unit/rehearsal/pi_manifest.hpp"

namespace bramble::massboot {
namespace {

fleet::Fleet fleet_of(std::initializer_list<const char*> names) {
    fleet::Fleet out;
    out.profiles.emplace_back().name = "lab";
    out.profiles.back().group = "rack-1";
    for (const char* name : names) {
        fleet::Board& board = out.boards.emplace_back();
        board.name = name;
        board.profile = "lab";
    }
    return out;
}

std::optional<std::string> unreadable(const layout::ObjectFile&) {
    return std::nullopt;
}

TEST(MassbootPlanTest, AFleetsBoardsFetchTheirBootNotTheirTree) {
    const layout::Manifest generation = rehearsal::pi_manifest();
    const auto plan =
        plan_of_fleet(fleet_of({"pi-01", "pi-02", "vm-01"}), generation, unreadable, {});
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->boards.size(), 2U) << "vm-01 has no Raspberry Pi firmware";
    EXPECT_EQ(plan->boards[0].group, "rack-1");
    const auto bytes = [&](std::size_t board) {
        const auto& fetches = plan->boards[board].fetches;
        return std::accumulate(
            fetches.begin(),
            fetches.end(),
            0.0,
            [](double sum, const auto& file) { return sum + static_cast<double>(file.bytes); }
        );
    };
    EXPECT_NEAR(bytes(0), 2'300'000 + 9'000'000 + 12'000'000 + 61'000, 1'000);
    EXPECT_NEAR(bytes(1), 2'300'000 + 7'000'000 + 61'000, 1'000) << "32 bits, no initramfs";
    EXPECT_EQ(static_cast<double>(plan->bytes_to_fetch()), bytes(0) + bytes(1));
}

TEST(MassbootPlanTest, WhatIsPlannedOfAFleetIsWhatItsBoardsFetch) {
    const auto plan =
        plan_of_fleet(fleet_of({"pi-01", "pi-02"}), rehearsal::pi_manifest(), unreadable, {});
    ASSERT_TRUE(plan);
    World world(*plan, true);
    const Summary done = summarise(world.run(nullptr));
    EXPECT_EQ(done.up, 2U);
    EXPECT_NEAR(static_cast<double>(done.bytes), static_cast<double>(plan->bytes_to_fetch()), 1e6)
        << "but for probes and headers";
}

TEST(MassbootPlanTest, AFleetWithoutAPiIsNothingToSimulate) {
    const auto plan = plan_of_fleet(fleet_of({"vm-01"}), rehearsal::pi_manifest(), unreadable, {});
    ASSERT_FALSE(plan);
    EXPECT_EQ(
        plan.error().message, "the generation has no board with Raspberry Pi firmware to simulate"
    );
}

}  // namespace
}  // namespace bramble::massboot
