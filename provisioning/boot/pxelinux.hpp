// pxelinux.cfg/default: what U-Boot reads when there is no boot script, so that a generic board
// boots with no hands. It refuses to know other boot loaders.
#pragma once

#include <optional>
#include <string>

#include "config/layout/manifest.hpp"
#include "provisioning/boot/text.hpp"

namespace bramble::boot {

inline constexpr std::string_view pxelinux_path = "pxelinux.cfg/default";

struct KernelFiles {
    std::string kernel;
    std::string initrd;  // empty: none

    friend bool operator==(const KernelFiles&, const KernelFiles&) = default;
};

// The kernel and the initramfs of a boot tree: vmlinuz, Image, kernel8.img, or of vmlinuz-VERSION
// the last by name, with the initramfs that goes with it.
std::optional<KernelFiles> find_kernel(const layout::BootTree& tree);

// `cmdline` with or without its newline. No FDT line: U-Boot then passes on the device tree that it
// runs with itself, which is right for a virtual machine and for boards with their own firmware.
std::string make_pxelinux(
    const std::string& owner, const KernelFiles& files, std::string_view cmdline
);

}  // namespace bramble::boot
