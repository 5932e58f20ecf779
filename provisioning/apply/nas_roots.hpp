// Boards' roots on another machine (nfs: external): written there under another name, renamed into
// place when whole, and marked in the store, so that the rest of an apply finds them as it finds
// its own. It refuses to know how bytes travel.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/nfs/nas.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/root/identity.hpp"

namespace bramble::apply {

// "172.16.1.9:/volume1/bramble"; none: this machine serves the roots.
std::optional<std::string> nas_place(const fleet::Fleet& fleet);

// Marks: boards/<board>/root.<base>.nas and roots/<base>.nas, each with the places that have the
// whole tree, a line each; after a "-" those from which it was being taken away. The directory
// beside a board's mark holds nothing where the board has no root here.
class NasMarks {
public:
    NasMarks(host::Host& host, const layout::StorePaths& paths) : host_(host), paths_(paths) {}

    // The places that have it; empty: none.
    [[nodiscard]] Result<std::set<std::string>> places(const host::Path& tree) const;
    // And those that may still have some of it.
    [[nodiscard]] Result<std::set<std::string>> all_places(const host::Path& tree) const;
    [[nodiscard]] Result<void> add(const host::Path& tree, const std::string& place);
    // It is about to go there: from now on nobody counts on it.
    [[nodiscard]] Result<void> withdraw(const host::Path& tree, const std::string& place);
    [[nodiscard]] Result<void> remove(const host::Path& tree);

    // Of a board's trees those that the fleet's NFS server has: the NAS's, or this machine's own.
    [[nodiscard]] Result<std::vector<plan::BoardRoot>> served(
        std::string_view board,
        std::vector<plan::BoardRoot> roots,
        const std::optional<std::string>& place
    ) const;

private:
    // By place: whether it has the whole.
    using Mark = std::map<std::string, bool>;

    [[nodiscard]] Result<Mark> read(const host::Path& tree) const;
    [[nodiscard]] Result<void> write(const host::Path& tree, const Mark& mark);

    host::Host& host_;
    const layout::StorePaths& paths_;
};

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

struct NasRemoval {
    host::Host& host;
    const layout::StorePaths& paths;
    const nfs::NasOpener& open;          // unset: nfs::Nas::open
    std::optional<std::string> present;  // the fleet's place
    std::function<void(const std::string&)> warn;
    std::set<std::string>
        given_up{};  // places that are not the fleet's any more, and do not answer
};

// Takes a tree of the store away from every place that has it; what a retired NAS that does not
// answer has of it stays there, with a warning. Its mark stays, until the directory beside it is
// gone too.
[[nodiscard]] Result<void> remove_nas_tree(NasRemoval& removal, const host::Path& tree);

}  // namespace bramble::apply
