// The machinery by which Raspberry Pi OS prepares its SD card when it first boots, taken out of a
// root that will never see a card. It refuses to know disk images and the store.
#pragma once

#include <string>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/root/tree.hpp"

namespace bramble::image {

struct FirstBoot {
    std::string
        release;  // "Raspberry Pi OS 12 (bookworm), 64 bit, of 2024-07-04"; empty: another's
    std::vector<std::string> taken_out;  // in words, none where nothing was found
};

// Recognised by etc/rpi-issue, which pi-gen writes, or by the package that holds the machinery; the
// root of another system is left as it is. `cmdline` is the image's own cmdline.txt, empty where it
// has none: Bramble writes the boards' lines itself, so it is only looked at. May be repeated.
[[nodiscard]] Result<FirstBoot> take_out_first_boot(root::Tree& tree, std::string_view cmdline);

// fstab(5) without the lines that need the image's own card: its "/", its boot partition, what is
// named by a partition's number, swap. `gone` counts them.
std::string fstab_without_card(std::string_view text, std::size_t& gone);

}  // namespace bramble::image
