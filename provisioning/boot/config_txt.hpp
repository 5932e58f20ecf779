// config.txt: the image's own, then what profile and board add. It refuses to know what an entry
// means to the firmware, only the form in which the firmware reads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "provisioning/boot/text.hpp"

namespace bramble::boot {

// A larger file is ignored as a whole (fact sheet 2.2, 7.1).
inline constexpr std::size_t config_txt_bytes_max = 4096;
// What stands behind this column of an entry is ignored (fact sheet 7.1).
inline constexpr std::size_t config_line_bytes_max = 98;

struct ConfigTxtInputs {
    std::string owner;  // "pi-01", for the comment on top
    std::string image;  // the image's own config.txt, or default_config_txt of its tree
    std::vector<fleet::ConfigEntry> profile;
    std::vector<fleet::ConfigEntry> board;
    // The initramfs that the board has to be started with; empty: the image's own way.
    std::string initramfs{};
};

// The image's text comes first and loses its comments only when the whole would be too long. The
// entries follow under [all], so that a filter at the end of the image's text does not catch them;
// of two entries with one key in one section the later stays, except for keys that add up
// (dtoverlay, dtparam, …). A key "[pi4]" with an empty value is a filter. With an initramfs of ours
// every other line about one goes.
Text make_config_txt(const ConfigTxtInputs& inputs);

// For an image without a config.txt: what its kernels need.
std::string default_config_txt(const layout::BootTree& tree);

}  // namespace bramble::boot
