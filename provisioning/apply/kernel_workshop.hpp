// The place that a kernel's build gets in the store, with the art that image lends it. It refuses
// to know what is built.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "provisioning/kernel/build.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

struct Telling {
    std::function<void(std::string_view)> progress;
    std::stop_token stop;
};

// An empty staging directory and a fresh log, logs/kernel-<name>.log.
[[nodiscard]] Result<kernel::Workshop> open_kernel_workshop(
    store::Changes& changes, const std::string& name, const Telling& telling
);

// What stands beside the fleet file; none there: nothing is pinned.
[[nodiscard]] Result<kernel::LockFile> read_lock_file(const fleet::Fleet& fleet, host::Host& host);
[[nodiscard]] Result<void> write_lock_file(
    const fleet::Fleet& fleet, const kernel::LockFile& file, host::Host& host
);

}  // namespace bramble::apply
