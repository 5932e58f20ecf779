// The base that a profile's boards run from: an image, and over it the kernel that the fleet file
// gives them. It refuses to know how either is made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/digest.hpp"
#include "provisioning/boot/text.hpp"
#include "provisioning/plan/observed.hpp"

namespace bramble::plan {

struct Base {
    Digest key;          // of the image alone, or of image and kernel: roots/, images/ go by it
    std::string image;   // empty: the kernel alone
    std::string kernel;  // empty: the image's own

    friend bool operator==(const Base&, const Base&) = default;
};

// None: the image's or the kernel's source cannot be seen (observe has said why), or the profile
// names neither.
std::optional<Base> base_of(
    const fleet::Fleet& fleet, const Observed& observed, const fleet::Profile& profile
);

// What boards with this kernel will stumble over when their root is asked for with `nfs_version`;
// empty: no root.
std::vector<boot::Finding> lint_kernel(const KernelRecord& kernel, const std::string& nfs_version);

// The base's record: the image's with that kernel's files laid over it. With an `initramfs` (its
// object) the kernel loads that; without one it finds its root by itself, and the image's own
// initramfs, made for other kernels, goes.
ImageRecord with_kernel(
    const Digest& key,
    const ImageRecord& image,
    const fleet::Kernel& kernel,
    const KernelRecord& built,
    const std::optional<layout::ObjectFile>& initramfs
);

}  // namespace bramble::plan
