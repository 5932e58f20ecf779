#include "provisioning/apply/board_root.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/apply/root_exports.hpp"
#include "provisioning/plan/plan.hpp"
#include "provisioning/root/identity_paths.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {
namespace {

tl::unexpected<RootFailure> refuse(std::string message) {
    return tl::unexpected(RootFailure{std::move(message), true});
}

tl::unexpected<RootFailure> broken(const Error& error) {
    return tl::unexpected(RootFailure{error.message, false});
}

Result<bool> is_mounted(host::Host& host, const host::Path& tree) {
    return host.mounts_below(tree).map([&](const std::vector<host::Path>& mounts) {
        return std::find(mounts.begin(), mounts.end(), tree) != mounts.end();
    });
}

// Nothing may be due: else a reset would publish more than it says.
Result<void, RootFailure> check_settled(const fleet::Fleet& fleet, host::Host& host) {
    const layout::StorePaths paths(fleet.appliance.store);
    const auto seen = observe(fleet, paths, host);
    if (!seen) return broken(seen.error());
    const plan::Plan plan = plan::make(fleet, *seen, paths);
    if (plan.refused()) {
        return refuse(
            "the fleet file cannot be applied as it is, so the root could not be made again: "
            "`bramble plan` says why"
        );
    }
    if (!plan.nothing_to_do()) {
        return refuse("an apply is due (`bramble plan` says what): run `bramble apply` first");
    }
    return {};
}

}  // namespace

Result<BoardRootPlace, RootFailure> find_board_root(
    const layout::StorePaths& paths, std::string_view board, host::Host& host
) {
    const store::Store store(host, paths);
    const auto current = store.current();
    if (!current) return broken(current.error());
    if (!*current) return refuse("nothing is published yet: run `bramble apply`");
    const layout::BoardEntry* entry = (*current)->find_board(board);
    if (entry == nullptr) {
        return refuse(fmt::format("generation {} has no board '{}'", (*current)->generation, board)
        );
    }
    if (entry->root && !entry->root->path.string().starts_with(paths.store().string() + "/")) {
        return refuse(fmt::format(
            "the root of board '{}' is on {}:{} (nfs: external): look at it on that machine",
            board,
            entry->root->server,
            entry->root->path.string()
        ));
    }
    const auto tree = store.tree_of(*entry);
    if (!tree || tree->parent_path() != paths.board(board) || !tree->has_extension()) {
        return refuse(fmt::format("board '{}' has no root of its own", board));
    }
    BoardRootPlace place;
    place.base = tree->extension().string().substr(1);
    place.tree = *tree;
    place.base_tree = paths.root(place.base);
    const auto kind = store.kind_of(board, place.base);
    if (!kind) return broken(kind.error());
    place.kind = *kind;
    if (place.kind != fleet::CopyOnWrite::overlay) return place;
    place.upper = store.upper_of(board, place.base);
    const auto mounted = is_mounted(host, place.tree);
    if (!mounted) return broken(mounted.error());
    if (*mounted) return place;
    return refuse(fmt::format(
        "'{}' is an overlay and not mounted here: run `sudo bramble root mount`",
        place.tree.string()
    ));
}

Result<std::vector<host::TreeChange>> changes_of(const BoardRootPlace& place, bool every_byte) {
    host::DifferenceWish wish{place.base_tree, place.tree, std::nullopt, every_byte};
    if (place.kind == fleet::CopyOnWrite::overlay) wish.upper = place.upper;
    return host::tree_difference(wish);
}

Result<void, RootFailure> reset_board_root(
    const fleet::Fleet& fleet, std::string_view board, const Options& options, host::Host& host
) {
    const layout::StorePaths paths(fleet.appliance.store);
    const auto place = find_board_root(paths, board, host);
    if (!place) return tl::unexpected(place.error());
    if (fleet.find_board(board) == nullptr) {
        return refuse(fmt::format("the fleet file has no board '{}'", board));
    }
    if (auto settled = check_settled(fleet, host); !settled) return settled;
    {
        auto changes = store::Changes::begin(host, paths);
        if (!changes) return broken(changes.error());
        // A server holds on to the directory that it began with: it has to let go of it first.
        RootExports exports{fleet, {}, {}};
        exports.leaves = [&](std::string_view one, std::string_view base) {
            return one == board && base == place->base;
        };
        const auto withdrawn = export_roots(changes->store(), exports);
        if (!withdrawn) return broken(withdrawn.error());
        auto removed = changes->remove_stamp(board, place->base).and_then([&] {
            return changes->remove_board_root(board, place->base);
        });
        if (!removed) return broken(removed.error());
    }
    const auto made = run(fleet, options, host);
    if (!made) return broken(made.error());
    return {};
}

Result<host::ArchiveReport> archive_board_root(
    const BoardRootPlace& place, const host::Path& file, const std::stop_token& stop
) {
    return host::write_archive({place.tree, "", {}, {}, stop}, file);
}

Result<host::ArchiveReport> promote_board_root(
    const layout::StorePaths& paths,
    const BoardRootPlace& place,
    const host::Path& file,
    host::Host& host,
    const std::stop_token& stop
) {
    const auto images = store::Store(host, paths).images();
    if (!images) return tl::unexpected(images.error());
    host::ArchiveWish wish{place.tree, "root/", root::is_secret_of_one_board, {}, stop};
    bool found = false;
    for (const plan::ImageRecord& record : *images) {
        if (plan::root_name(record.key) != place.base) continue;
        found = true;
        for (const auto& [path, boot] : record.files) {
            const auto* object = std::get_if<layout::ObjectFile>(&boot);
            if (object == nullptr) continue;
            wish.files.emplace_back("boot/" + path, paths.object(object->digest));
        }
    }
    // Without them it would be an image that no board can start.
    if (!found) {
        return fail(
            "the boot files of its image are not whole in the store: run `bramble apply` first"
        );
    }
    return host::write_archive(wish, file);
}

}  // namespace bramble::apply
