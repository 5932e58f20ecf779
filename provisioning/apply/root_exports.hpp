// Which root trees of a store are exported to whom, told to the NFS server. It refuses to know why
// a tree is there and which server it is.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

struct RootExports {
    const fleet::Fleet& fleet;
    // Generations whose boards may mount their trees too: at the addresses that they have there,
    // also when the fleet file does not know them any more.
    std::vector<const layout::Manifest*> generations{};
    // Trees that are about to go (of no board: base roots that are no longer shared); unset: none.
    std::function<bool(std::string_view board, std::string_view base)> leaves{};
};

// Exports every tree of every board, also those that a board may still run from, each to its board
// alone, and every base root that boards share, read-only to their network. Answers with warnings;
// nothing is asked of any server where there is no tree at all.
[[nodiscard]] Result<std::vector<std::string>> export_roots(
    const store::Store& store, const RootExports& wanted
);

}  // namespace bramble::apply
