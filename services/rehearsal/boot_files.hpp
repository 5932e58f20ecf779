// The files that a board will fetch in its boot, told from what the published generation has for
// it. It refuses to know what a board has fetched already.
#pragma once

#include <vector>

#include "config/layout/manifest.hpp"
#include "services/admission/doorman.hpp"

namespace bramble::rehearsal {

// Of a Raspberry Pi: what its firmware asks for, in the order of its requests, as the virtual
// board's model of it does (which config.txt, which kernel, which initramfs). Of others: all that
// there is. Empty: nothing can be said, for example because the tree has no kernel.
std::vector<admission::PlannedFile> boot_files_of(
    const layout::Manifest& manifest, const layout::BoardEntry& board
);

}  // namespace bramble::rehearsal
