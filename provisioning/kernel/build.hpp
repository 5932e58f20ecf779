// A kernel made from its source: fetched, patched, configured, compiled, and its files gathered. It
// refuses to know the store, plans and the boards that will run it.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/types/digest.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/kernel/build_log.hpp"
#include "provisioning/kernel/configuration.hpp"
#include "provisioning/kernel/pins.hpp"

namespace bramble::kernel {

using host::Path;

// What others know how to do and lend to a build.
struct Craft {
    std::function<Result<void>(const Path& archive, const Path& directory)> unpack;
    // A file behind a URL, kept for the next time; its sum is checked when there is one to check.
    std::function<Result<Path>(const std::string& url, std::optional<Digest> sha256)> fetch;
};

// Where a build may work and whom it tells about it.
struct Workshop {
    host::Host& host;
    Path staging;  // exists and is empty; on the store's filesystem; removed by the caller
    Path log;      // what commands print is appended here
    Craft craft;
    unsigned jobs = 1;                               // of make at once
    std::function<void(std::string_view)> progress;  // one short line each; may be empty
    std::stop_token stop;
};

struct Built {
    Path directory;  // below `staging`: boot/, config, and modules/lib/modules/RELEASE if there are
    std::string release;  // `uname -r`
    Options options;      // the final configuration
    bool has_modules = false;
    std::uint64_t steps = 0;  // files that were built
};

// In a Built's boot/, beside the device trees by their names and overlays/.
inline constexpr std::string_view kernel_file = "kernel";

struct Order {
    const fleet::Fleet& fleet;
    const fleet::Kernel& kernel;
    const Pins& pins;
    Digest key;
    std::optional<PastBuild> past;
};

// Errors name the kernel and the line of the fleet file that asks for it; of a failed command the
// log from the failing line; of options that did not survive each with what it depends on.
[[nodiscard]] Result<Built> build(const Order& order, const Workshop& workshop);

// Asks the source what its moving wish means now. Needs the network.
[[nodiscard]] Result<std::string> look_up(const fleet::Kernel& kernel, const Workshop& workshop);

}  // namespace bramble::kernel
