// What differs between the firmware generations of a Raspberry Pi (fact sheet 10.1), as a table. It
// refuses to know any single board.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "config/types/board_model.hpp"

namespace bramble::virtual_board {

// pi3: boot ROM, bootcode.bin, start.elf. pi4: EEPROM, start4.elf. pi5: EEPROM alone.
enum class Family { pi3, pi4, pi5 };

// How option 97 begins (fact sheet 1.2); serial_only repeats the serial four times.
enum class Option97 { rpi4_little_endian, rpi4_big_endian, rpi5_big_endian, serial_only };

struct Profile {
    std::string_view name;
    Family family = Family::pi4;
    BoardModel model = BoardModel::pi4;
    Option97 option97 = Option97::rpi4_big_endian;
    bool sends_request = true;             // the Pi 3 ROM takes the OFFER and asks no further
    bool request_has_vendor_class = true;  // option 60 in REQUEST
    unsigned eeprom_blksize = 1468;        // 0: the option is not sent
    unsigned firmware_blksize = 1024;      // 0: the option is not sent
    bool first_stage_has_options = true;   // the Pi 3 ROM sends none at all
    bool acknowledges_duplicates = true;   // re-ACK of a DATA that it already had
    bool rolls_over = false;               // block 65535 is followed by 0; else the transfer ends
    bool hangs_on_duplicate_data = false;  // firmware stage, F#1631
    bool doubles_slashes = false;          // P//config.txt, P//cmdline.txt
    bool needs_oack_for_config = true;     // config.txt is lost without an OACK (F#1012)
};

inline constexpr std::size_t profiles_count = 6;

// All of fact sheet 10.1: pi4-2020, pi4-2021, pi4-2023, pi4-2026, pi5-2026, pi3b+.
const std::array<Profile, profiles_count>& all_profiles();

// By name; nothing for any other text.
std::optional<Profile> find_profile(std::string_view name);

// pi4-2023, what a fleet of today mostly holds.
const Profile& default_profile();

// The firmware that boards of a model mostly have; of `generic`, which has none, the default.
const Profile& usual_profile(BoardModel model);

// A revision of that model: it names the board's device tree.
RevisionCode usual_revision(BoardModel model);

}  // namespace bramble::virtual_board
