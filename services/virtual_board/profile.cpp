#include "services/virtual_board/profile.hpp"

namespace bramble::virtual_board {

namespace {

constexpr Profile pi4_2023 = {.name = "pi4-2023"};

constexpr Profile pi4_2020 = {
    .name = "pi4-2020",
    .option97 = Option97::rpi4_little_endian,
    .request_has_vendor_class = false,
    .eeprom_blksize = 1024,
    .acknowledges_duplicates = false};

constexpr Profile pi4_2021 = {
    .name = "pi4-2021",
    .option97 = Option97::rpi4_little_endian,
    .eeprom_blksize = 1024,
    .hangs_on_duplicate_data = true};

constexpr Profile pi4_2026 = {.name = "pi4-2026", .rolls_over = true};

constexpr Profile pi5_2026 = {
    .name = "pi5-2026",
    .family = Family::pi5,
    .model = BoardModel::pi5,
    .option97 = Option97::rpi5_big_endian,
    .firmware_blksize = 1468,
    .rolls_over = true,
    .doubles_slashes = true,
    .needs_oack_for_config = false};

constexpr Profile pi3b_plus = {
    .name = "pi3b+",
    .family = Family::pi3,
    .model = BoardModel::pi3,
    .option97 = Option97::serial_only,
    .sends_request = false,
    .eeprom_blksize = 0,
    .firmware_blksize = 0,
    .first_stage_has_options = false,
    .acknowledges_duplicates = false,
    .needs_oack_for_config = false};

constexpr std::array<Profile, profiles_count> profiles = {
    pi4_2020, pi4_2021, pi4_2023, pi4_2026, pi5_2026, pi3b_plus};

}  // namespace

const std::array<Profile, profiles_count>& all_profiles() {
    return profiles;
}

std::optional<Profile> find_profile(std::string_view name) {
    for (const Profile& profile : profiles) {
        if (profile.name == name) return profile;
    }
    return std::nullopt;
}

const Profile& default_profile() {
    return profiles[2];
}

const Profile& usual_profile(BoardModel model) {
    switch (model) {
        case BoardModel::pi3:
            return profiles[5];
        case BoardModel::pi5:
            return profiles[4];
        default:
            return default_profile();
    }
}

RevisionCode usual_revision(BoardModel model) {
    switch (model) {
        case BoardModel::pi3:
            return RevisionCode(0xa020d3);
        case BoardModel::pi400:
            return RevisionCode(0xc03130);
        case BoardModel::cm4:
            return RevisionCode(0xa03141);
        case BoardModel::pi5:
            return RevisionCode(0xc04170);
        default:
            return RevisionCode(0xc03112);
    }
}

}  // namespace bramble::virtual_board
