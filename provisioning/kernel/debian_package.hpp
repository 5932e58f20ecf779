// A kernel that Debian built: found and fetched through the machine's own package sources, for a
// foreign architecture, and unpacked. It refuses to install anything on this machine.
#pragma once

#include "provisioning/kernel/build.hpp"

namespace bramble::kernel {

inline constexpr int metapackages_max = 4;  // that lead from one to the next

// Of one stanza of `apt-cache show`.
struct PackageFacts {
    std::string name;
    std::string version;
    std::string next;  // of a metapackage: the linux-image-… that it depends on; empty: none

    friend bool operator==(const PackageFacts&, const PackageFacts&) = default;
};

// None when the text is no such stanza. Never throws, any input.
std::optional<PackageFacts> parse_package(std::string_view stanza);

// The package that holds the kernel, as NAME=VERSION.
[[nodiscard]] Result<std::string> look_up_package(
    const fleet::Kernel& kernel, const std::string& package, const Workshop& workshop
);

[[nodiscard]] Result<Built> unpack_package(const Order& order, const Workshop& workshop);

}  // namespace bramble::kernel
