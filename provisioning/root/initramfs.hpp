// The early userspace that mounts a board's NFS root: a busybox, the kernel's own modules and a
// script, packed from the root tree it will hand over to. It refuses to know boards; the kernel
// command line tells each its own root.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/types/digest.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::root {

struct Initramfs {
    std::string archive;                // cpio newc, gzip; the same bytes for the same tree
    std::vector<std::string> releases;  // of the kernels that it serves
    std::vector<std::string> left_out;  // why others cannot be served, a sentence each
    std::vector<std::string> absent;    // modules wanted if there were any; not in these kernels
};

// The kernels that the tree at `root` has modules of, by `uname -r`. Errors: none; the host's.
[[nodiscard]] Result<std::vector<std::string>> kernel_releases(
    host::Host& host, const host::Path& root
);

// Packs one initramfs for these kernels from the tree at `root`, which must hold
// lib/modules/RELEASE of each (after depmod) and a busybox, with its libraries where it is not
// static. Errors: something is missing, or none of the kernels can do NFS and network; each names
// the package that helps.
[[nodiscard]] Result<Initramfs> build_initramfs(
    host::Host& host, const host::Path& root, std::span<const std::string> kernel_releases
);

// Of all that stands in an initramfs beside the tree it is packed from; one whose recipe differs is
// made again.
Digest initramfs_recipe();

}  // namespace bramble::root
