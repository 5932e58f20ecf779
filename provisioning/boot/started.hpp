// What the firmware of a board loads out of a boot tree, as far as config.txt decides it: kernel,
// initramfs, its own second half. It refuses to know what is in these files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/layout/manifest.hpp"
#include "provisioning/boot/config_reading.hpp"

namespace bramble::boot {

struct Started {
    std::string kernel;                  // empty: not known, or none is there
    std::vector<std::string> initramfs;  // that are there, in order
    std::string missing_kernel;          // that kernel= names; empty: it is there, or none is named
    std::vector<std::string> missing_initramfs;  // that `initramfs` names, in order
    std::string start_file;  // empty: a board that brings its firmware in its EEPROM
    std::string fixup_file;
    // false: another loader's own script decides, os_prefix= is set, or a text is not known
    bool known = false;

    friend bool operator==(const Started&, const Started&) = default;
};

// Fact sheet 2.5 and 7.1: what `config` has the firmware load. `config` is of the same tree and
// model.
Started started_of(const layout::BootTree& tree, BoardModel model, const ConfigReading& config);

// The last word NAME=… of a command line, without its name and quotes; empty: none.
std::string cmdline_word(std::string_view line, std::string_view name);

}  // namespace bramble::boot
