// The early userspace that mounts a board's NFS root: a busybox, the kernel's own modules and a
// script, packed from the root tree it will hand over to. It refuses to know boards; the kernel
// command line tells each its own root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::root {

struct Initramfs {
    std::string archive;               // cpio newc, gzip; the same bytes for the same tree
    std::vector<std::string> modules;  // in load order, paths below lib/modules/RELEASE
    std::vector<std::string> absent;   // wanted if there were any; not in this kernel
};

// Packs the initramfs of kernel `kernel_release` from the tree at `root`, which must hold
// lib/modules/RELEASE (after depmod) and a statically linked busybox. Errors: either is missing, or
// the kernel can do no NFS or no network; each names the package that helps.
[[nodiscard]] Result<Initramfs> build_initramfs(
    host::Host& host, const host::Path& root, const std::string& kernel_release
);

// Whether `bytes` begin an ELF program that needs no dynamic loader.
bool is_static_program(std::string_view bytes);

}  // namespace bramble::root
