#include "provisioning/apply/rollback.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "provisioning/apply/root_exports.hpp"
#include "provisioning/plan/generations_text.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {
namespace {

using Numbers = std::vector<std::uint64_t>;

tl::unexpected<RollbackFailure> refuse(std::string message) {
    return tl::unexpected(RollbackFailure{std::move(message), true});
}

tl::unexpected<RollbackFailure> broken(const Error& error) {
    return tl::unexpected(RollbackFailure{error.message, false});
}

Result<std::uint64_t, RollbackFailure> choose(
    std::optional<std::uint64_t> asked, std::uint64_t current, const Numbers& there
) {
    if (there.empty()) return refuse("nothing was published yet: there is no way back");
    if (asked) {
        if (std::binary_search(there.begin(), there.end(), *asked)) return *asked;
        return refuse(fmt::format(
            "there is no generation {}; there is {} (`bramble generations` tells them apart)",
            *asked,
            plan::ranges(there)
        ));
    }
    const auto after = std::lower_bound(there.begin(), there.end(), current);
    if (after != there.begin()) return *std::prev(after);
    return refuse(fmt::format(
        "generation {} is the oldest one: say which one you mean of {}",
        current,
        plan::ranges(there)
    ));
}

// The root that each board mounts now, as a link for people.
Result<void> point_board_roots(store::Changes& changes, const layout::Manifest& manifest) {
    for (const layout::BoardEntry& board : manifest.boards) {
        const auto tree = changes.store().tree_of(board);
        if (!tree || tree->parent_path() != changes.store().paths().board(board.name)) continue;
        if (auto done = changes.point_board_root(board.name, tree->extension().string().substr(1));
            !done) {
            return done;
        }
    }
    return {};
}

}  // namespace

Result<RolledBack, RollbackFailure> roll_back(
    const fleet::Fleet& fleet, std::optional<std::uint64_t> number, host::Host& host
) {
    auto changes = store::Changes::begin(host, layout::StorePaths(fleet.appliance.store));
    if (!changes) return broken(changes.error());
    const store::Store& store = changes->store();
    const auto there = store.generations();
    if (!there) return broken(there.error());
    const auto current = store.current_number();
    if (!current) return broken(current.error());
    RolledBack result;
    result.from = current->value_or(0);
    const auto chosen = choose(number, result.from, *there);
    if (!chosen) return tl::unexpected(chosen.error());
    result.generation = *chosen;

    const auto target = store.generation(*chosen);
    if (!target) {
        return refuse(fmt::format("generation {} is not sound: {}", *chosen, target.error().message)
        );
    }
    const auto missing = store.missing(*target);
    if (!missing) return broken(missing.error());
    if (!missing->empty()) {
        return refuse(fmt::format(
            "generation {} is not whole any more, its boards would not boot; missing:\n  {}\n"
            "go back in the fleet file instead and run `bramble apply`, which builds it anew",
            *chosen,
            fmt::join(*missing, "\n  ")
        ));
    }
    result.as_fleet = target->fleet == fleet::fleet_digest(fleet);

    // Exports first: a board that is told of a root must be able to mount it. Those of the current
    // generation stay, for boards that run from it. It may be the broken one that one leaves.
    const auto before = store.current();
    RootExports exports{fleet, {&*target}, {}};
    if (before && *before) exports.generations.push_back(&**before);
    auto warnings = export_roots(store, exports);
    if (!warnings) return broken(warnings.error());
    result.warnings = std::move(*warnings);
    for (const std::string& problem : changes->mount_problems()) result.warnings.push_back(problem);
    if (result.from == result.generation) return result;
    if (auto done = changes->make_current(*chosen); !done) return broken(done.error());
    result.changed = true;
    if (auto done = point_board_roots(*changes, *target); !done) {
        result.warnings.push_back(done.error().message);  // only people look at these links
    }
    return result;
}

}  // namespace bramble::apply
