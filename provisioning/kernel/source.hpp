// The sources of a kernel as a directory: where they are, or unpacked or cloned into a workshop. It
// refuses to know what is built from them.
#pragma once

#include "provisioning/kernel/build.hpp"

namespace bramble::kernel {

// The directory with the patched sources. A `path:` without patches is that path itself, and is
// only read. Errors: another sum, no network, a patch that does not apply.
[[nodiscard]] Result<Path> open_source(const Order& order, const Workshop& workshop);

// What the branch's tip is now.
[[nodiscard]] Result<std::string> look_up_commit(
    const fleet::GitSource& git, const Workshop& workshop
);

}  // namespace bramble::kernel
