// Boards' roots on another machine (nfs: external): written there under another name, renamed into
// place when whole, and marked in the store, so that the rest of an apply finds them as it finds
// its own. It refuses to know how bytes travel.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/nfs/nas.hpp"
#include "provisioning/root/identity.hpp"

namespace bramble::apply {

struct NasWork {
    host::Host& host;
    const layout::StorePaths& paths;
    const fleet::NfsExternal& nas;
    const nfs::NasOpener& open;  // unset: nfs::Nas::open
    std::function<void(std::string_view)> progress;
    std::function<void(const std::string&)> warn;
    std::stop_token stop;
};

// roots/<base> with the board's identity. Killed anywhere, the next one goes on; one that is whole
// there is not written again.
[[nodiscard]] Result<void> write_nas_root(
    const NasWork& work,
    const std::string& board,
    const std::string& base,
    const root::Identity& identity
);

// The identity alone, into the root as the board left it.
[[nodiscard]] Result<void> write_nas_identity(
    const NasWork& work,
    const std::string& board,
    const std::string& base,
    const root::Identity& identity
);

// roots/<base> for boards that share it: the base of the plan's step with that key, which then is
// among those that are there.
[[nodiscard]] Result<void> write_nas_bases(
    const NasWork& work,
    const std::map<std::string, std::string>& image_of_base,
    const Digest& step,
    std::set<std::string>& there
);

}  // namespace bramble::apply
