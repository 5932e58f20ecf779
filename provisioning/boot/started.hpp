// What the firmware of a board loads out of a boot tree, as far as config.txt decides it: kernel,
// initramfs, its own second half. It refuses to know what is in these files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/types/board_model.hpp"

namespace bramble::boot {

struct Started {
    std::string kernel;                  // empty: not known, or none is there
    std::vector<std::string> initramfs;  // that are there, in order
    std::string start_file;              // empty: a board that brings its firmware in its EEPROM
    std::string fixup_file;
    bool known = false;  // false: another loader's own script decides, or os_prefix= is set

    friend bool operator==(const Started&, const Started&) = default;
};

// Fact sheet 2.5 and 7.1. Filters by board model are followed; what stands behind any other filter
// (a serial, a pin) is taken not to apply. The tree's config.txt counts when it is text.
Started started_of(const layout::BootTree& tree, BoardModel model);

// The last word NAME=… of a command line, without its name; empty: none.
std::string cmdline_word(std::string_view line, std::string_view name);

// The text under this path; empty for an object.
std::string_view text_at(const layout::BootTree& tree, std::string_view path);

}  // namespace bramble::boot
