// What a store remembers of its trees on other machines (nfs: external): which have a whole one,
// and from which one was being taken away. It refuses to ask any of them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/plan/observed.hpp"

namespace bramble::apply {

// The file beside a tree that holds its marks.
host::Path nas_mark(const host::Path& tree);

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

}  // namespace bramble::apply
