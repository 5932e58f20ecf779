// A Debian suite turned into boot files and a root tree by mmdebstrap. It refuses to know the
// store and the boards that will run it.
#pragma once

#include "provisioning/image/ingest.hpp"

namespace bramble::image {

// The digest of the suite's settings and of the recipe here: another one means another tree.
Digest debian_key(const fleet::DebianSource& source);

// Makes staging/boot (vmlinuz, initrd.img, device trees, and kernel8.img, initramfs8 for boards
// with Raspberry Pi firmware) and staging/root.
[[nodiscard]] Result<Ingested> ingest_debian(
    const fleet::DebianSource& source, const Workshop& workshop
);

}  // namespace bramble::image
