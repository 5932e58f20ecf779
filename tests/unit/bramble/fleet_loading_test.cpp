#include "services/bramble/fleet_loading.hpp"

#include <gtest/gtest.h>

namespace bramble::program {
namespace {

state::AdoptedBoard enrolled(std::string name, std::uint32_t serial) {
    state::AdoptedBoard board;
    board.name = std::move(name);
    board.serial = Serial(serial);
    board.mac = MacAddress({2, 0, 0, 0, 0, static_cast<std::uint8_t>(serial)});
    board.profile = "lab";
    return board;
}

fleet::Fleet fleet_of_one() {
    fleet::Fleet fleet;
    fleet.profiles.resize(1);
    fleet.profiles[0].name = "lab";
    fleet.boards.resize(1);
    fleet.boards[0].name = "pi-01";
    fleet.boards[0].serial = Serial(1);
    return fleet;
}

TEST(MergeEnrolled, AddsBoardsThatTheFileDoesNotHave) {
    fleet::Fleet fleet = fleet_of_one();
    EXPECT_EQ(merge_enrolled(fleet, std::vector{enrolled("pi-02", 2), enrolled("pi-03", 3)}), 2U);
    ASSERT_EQ(fleet.boards.size(), 3U);
    EXPECT_EQ(fleet.boards[1].name, "pi-02");
    EXPECT_EQ(fleet.boards[1].serial, Serial(2));
    EXPECT_EQ(fleet.boards[1].profile, "lab");
}

// An operator who writes an enrolled board into the file takes it over from the state.
TEST(MergeEnrolled, TheFileWins) {
    fleet::Fleet fleet = fleet_of_one();
    EXPECT_EQ(merge_enrolled(fleet, std::vector{enrolled("other-name", 1)}), 0U);
    EXPECT_EQ(merge_enrolled(fleet, std::vector{enrolled("pi-01", 9)}), 0U);
    EXPECT_EQ(fleet.boards.size(), 1U);
}

TEST(MergeEnrolled, LeavesOutWhatHasNoProfileAnyMore) {
    fleet::Fleet fleet = fleet_of_one();
    fleet.profiles.clear();
    EXPECT_EQ(merge_enrolled(fleet, std::vector{enrolled("pi-02", 2)}), 0U);
}

}  // namespace
}  // namespace bramble::program
