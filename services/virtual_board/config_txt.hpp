// What a board's firmware reads out of config.txt, as far as it decides which files are fetched
// (fact sheet 7.1). It refuses to know all other settings, and where the text came from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/board_model.hpp"
#include "config/types/serial.hpp"

namespace bramble::virtual_board {

inline constexpr std::size_t config_bytes_max = 4096;     // beyond: the file is ignored (F#1012)
inline constexpr std::size_t config_line_chars_max = 98;  // the rest of a line is ignored
inline constexpr std::size_t config_includes_max = 32;
inline constexpr std::size_t config_include_chars_max = 64;
inline constexpr unsigned config_include_depth_max = 8;
// Texts that include each other multiply with each depth; beyond so many nothing more is read.
inline constexpr unsigned config_include_reads_max = 256;

struct ConfigTxt {
    bool arm_64bit = true;
    bool auto_initramfs = false;
    bool boot_ramdisk = false;
    bool bootloader_update = true;
    std::optional<std::string> kernel;
    std::vector<std::string> initramfs;  // a comma list is concatenated
    std::string cmdline = "cmdline.txt";
    std::string os_prefix;
    std::optional<std::string> overlay_prefix;  // "overlays/" unless said
    std::optional<std::string> device_tree;
    std::vector<std::string> overlays;  // names, in order, without ".dtbo"
    std::optional<std::string> start_file;
    std::optional<std::string> fixup_file;
    std::vector<std::string> includes;  // met on the way, nested ones too, each once
};

// What the filters ask about.
struct FilterFacts {
    BoardModel model = BoardModel::pi4;
    unsigned board_type = 0x11;  // bits 4 to 11 of the revision code
    Serial serial;
    bool is_3b_plus = false;
};

// The text of an included file, or nothing: not fetched (yet), or missing. A null function: the
// stage does not understand include (the EEPROM and bootcode.bin).
using IncludeLookup = std::function<std::optional<std::string>(std::string_view name)>;

// Never fails: what the firmware does not understand, it skips. A non-ASCII byte ends the text
// (fact sheet 5.2), a text beyond 4096 bytes counts as empty.
ConfigTxt evaluate_config(
    std::string_view text, const FilterFacts& facts, const IncludeLookup& include = nullptr
);

// Whether the firmware takes the text as a whole: at most 4096 bytes.
inline bool config_is_taken(std::string_view text) {
    return text.size() <= config_bytes_max;
}

}  // namespace bramble::virtual_board
