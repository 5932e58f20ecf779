// Trees of a store taken away from other machines (nfs: external). It refuses to know why they go.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/nfs/nas.hpp"

namespace bramble::apply {

struct NasRemoval {
    host::Host& host;
    const layout::StorePaths& paths;
    const nfs::NasOpener& open;          // unset: nfs::Nas::open
    std::optional<std::string> present;  // the fleet's place
    std::function<void(const std::string&)> warn;
    std::stop_token stop;
    std::set<std::string>
        given_up{};  // places that are not the fleet's any more, and do not answer
};

// Takes a tree of the store away from every place that has it; what a retired NAS that does not
// answer has of it stays there, with a warning. Its mark stays, until the directory beside it is
// gone too.
[[nodiscard]] Result<void> remove_nas_tree(NasRemoval& removal, const host::Path& tree);

}  // namespace bramble::apply
