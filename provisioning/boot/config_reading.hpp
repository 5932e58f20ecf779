// config.txt as the firmware of one board reads it: filters, included files, of each key the last
// value (fact sheet 7.1). It refuses to know what a key does.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/types/board_model.hpp"
#include "config/types/serial.hpp"
#include "provisioning/boot/file_facts.hpp"
#include "provisioning/boot/text.hpp"

namespace bramble::boot {

inline constexpr std::size_t include_name_bytes_max = 64;
// How deep the firmware goes is not known; nobody's files include each other as deep as this.
inline constexpr unsigned include_depth_max = 8;
// Texts that include each other multiply with each depth; beyond so many nothing more is read.
inline constexpr unsigned include_reads_max = 256;

// What filters ask about.
struct FilterFacts {
    BoardModel model = BoardModel::pi4;
    std::optional<Serial> serial;
};

using Settings = std::map<std::string, std::string, std::less<>>;

std::string value_of(const Settings& settings, std::string_view key);  // empty: not set

struct ConfigReading {
    Settings settings;  // as start4.elf has them
    Settings early;     // as the EEPROM and bootcode.bin have them: they know no include
    std::map<std::string, std::set<std::string>, std::less<>> included_keys;  // file -> keys set
    std::vector<Finding> findings;  // about includes, each once
    bool complete = true;  // false: a text or a filter that decides is not known, or not read
};

// Of the tree's config.txt when it is text; included files are texts of the tree, or known by
// `files`. Filters about what only the board can tell (a pin, a display, a boot count) are taken
// not to hold. An included text begins without a filter and leaves those of its includer alone.
ConfigReading read_config(
    const layout::BootTree& tree, const BootFacts& files, const FilterFacts& board
);

// The text under this path; empty for an object.
std::string_view text_at(const layout::BootTree& tree, std::string_view path);

}  // namespace bramble::boot
