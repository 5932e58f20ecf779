// Boards' root trees: how each kind is made of its base, mounted, mounted again and taken away. On
// the disk a tree is there when boards/<board>/root.<base> is, which comes by one rename or mkdir
// and goes by one rename; mounts follow from what lies on the disk.
#include <fmt/format.h>

#include <algorithm>

#include "provisioning/store/listing.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

using fleet::CopyOnWrite;

constexpr std::string_view upper_name = "upper";
constexpr std::string_view work_name = "work";
constexpr std::string_view merged_name = "merged";

Path overlay_of(const layout::StorePaths& paths, std::string_view board, std::string_view base) {
    return paths.board(board) / fmt::format("{}{}", overlay_prefix, base);
}

bool is_below(const Path& path, const Path& directory) {
    return path.string().starts_with(directory.string() + "/");
}

}  // namespace

Path Store::upper_of(std::string_view board, std::string_view base) const {
    return overlay_of(paths_, board, base) / upper_name;
}

Result<CopyOnWrite> Store::kind_of(std::string_view board, std::string_view base) const {
    const auto overlay = host_.status(overlay_of(paths_, board, base));
    if (!overlay) return tl::unexpected(overlay.error());
    if (*overlay) return CopyOnWrite::overlay;
    return host_.is_subvolume(paths_.board_root(board, base)).map([](bool is) {
        return is ? CopyOnWrite::btrfs : CopyOnWrite::copy;
    });
}

// ---- making one

Result<StagedRoot> Changes::stage_overlay(const Path& staged, const Path& base) {
    const auto like = host().status(base);
    if (!like) return tl::unexpected(like.error());
    if (!*like) return fail(fmt::format("there is no base root '{}'", base.string()));
    // The upper directory's own mode and owner are those of the merged root.
    const host::Owner owner{(*like)->uid, (*like)->gid};
    const Path merged = staged / merged_name;
    return mount_places()
        .and_then([&] { return host().make_directories(staged); })
        .and_then([&] {
            return host().make_directories_in(
                staged, upper_name, (*like)->mode, owner, host::Sync::later
            );
        })
        .and_then([&] {
            return host().make_directories_in(staged, work_name, 0755, {}, host::Sync::later);
        })
        .and_then([&] {
            return host().make_directories_in(staged, merged_name, 0755, {}, host::Sync::later);
        })
        .and_then([&] {
            return host().mount_overlay({base, staged / upper_name, staged / work_name}, merged);
        })
        .map([&] {
            return StagedRoot{merged, true};
        });
}

Result<StagedRoot> Changes::stage_board_root(
    std::string_view board,
    std::string_view base_name,
    const RootMaking& making,
    const std::stop_token& stop
) {
    const Path staged = paths().board(board) / staged_root_name;
    const Path base = paths().root(base_name);
    auto ready = host().make_directories(paths().board(board)).and_then([&] {
        return host().remove_all(staged);
    });
    if (!ready) return tl::unexpected(ready.error());
    if (making.kind == CopyOnWrite::overlay) return stage_overlay(staged, base);
    // On btrfs any root is a subvolume, because only that can be a mount and so a boundary.
    const bool subvolumes = store_.on_btrfs();
    const auto base_is_one = host().is_subvolume(base);
    if (!base_is_one) return tl::unexpected(base_is_one.error());
    Result<void> made;
    if (making.kind == CopyOnWrite::btrfs && *base_is_one) {
        made = host().snapshot(base, staged);
    } else {
        auto blocks = making.insist ? host::Blocks::shared : host::Blocks::shared_if_possible;
        if (making.kind == CopyOnWrite::copy) blocks = host::Blocks::copied;
        if (subvolumes) made = host().make_subvolume(staged);
        if (made) made = host().copy_tree(base, staged, stop, blocks);
    }
    return made.map([&] { return StagedRoot{staged, false}; });
}

Result<void> Changes::adopt_board_root(
    std::string_view board, std::string_view base, const StagedRoot& staged
) {
    const Path root = paths().board_root(board, base);
    if (auto synced = host().sync_tree(staged.tree); !synced) return synced;
    Result<void> there;
    if (staged.overlay) {
        const Path making = staged.tree.parent_path();
        const Path overlay = overlay_of(paths(), board, base);
        there = host()
                    .unmount(staged.tree)
                    .and_then([&] { return host().remove_all(staged.tree); })
                    .and_then([&] { return host().remove_all(overlay); })
                    .and_then([&] { return host().rename(making, overlay); })
                    .and_then([&] { return host().make_directories(root); });
    } else {
        there = host().rename(staged.tree, root);
    }
    return there.and_then([&] { return mount_root(board, base); });
}

// ---- mounts

// What boards/ itself is a mount for: a server that runs in a mount namespace of its own gets to
// see roots that are mounted later, wherever else mounts are private. Mounts that are below it by
// then would be there twice: it comes before the first of them. So does roots/ where bases may be
// mounts, since a server that runs by then would not see it come.
Result<void> Changes::mount_places() {
    const std::lock_guard lock(shared_->mounts);
    if (auto done = mount_place(paths().boards()); !done) return done;
    if (!store_.on_btrfs()) return {};
    return mount_place(paths().roots());
}

// With the lock held.
Result<void> Changes::mount_place(const Path& place) {
    if (mounts_.contains(place)) return {};
    return host().mount_itself(place, true).map([&] { mounts_.insert(place); });
}

Result<void> Changes::mount_root(std::string_view board, std::string_view base) {
    const Path root = paths().board_root(board, base);
    {
        const std::lock_guard lock(shared_->mounts);
        if (mounts_.contains(root)) return {};
    }
    const auto kind = store_.kind_of(board, base);
    if (!kind) return tl::unexpected(kind.error());
    if (*kind == CopyOnWrite::copy) return {};
    if (auto done = mount_places(); !done) return done;
    const std::lock_guard lock(shared_->mounts);
    const Path overlay = overlay_of(paths(), board, base);
    auto done = *kind == CopyOnWrite::btrfs
                    ? host().mount_itself(root, false)
                    : host().mount_overlay(
                          {paths().root(base), overlay / upper_name, overlay / work_name}, root
                      );
    if (done) mounts_.insert(root);
    return done;
}

Result<void> Changes::mount_roots() {
    const auto boards = host().list(paths().boards());
    if (!boards) return tl::unexpected(boards.error());
    for (const host::DirectoryEntry& board : *boards) {
        if (board.kind != host::FileKind::directory) continue;
        if (auto done = mount_roots_of(board.name); !done) return done;
    }
    return mount_shared_roots();
}

Result<void> Changes::mount_roots_of(const std::string& board) {
    const auto entries = host().list(paths().board(board));
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        if (entry.kind != host::FileKind::directory) continue;
        if (!entry.name.starts_with(root_prefix)) continue;
        const auto mounted = mount_root(board, entry.name.substr(root_prefix.size()));
        if (mounted) continue;
        mount_problems_.push_back(
            fmt::format("the root of board {} is not mounted: {}", board, mounted.error().message)
        );
    }
    return {};
}

Result<Path> Changes::board_root_to_write(std::string_view board, std::string_view base) {
    const Path root = paths().board_root(board, base);
    // What is written under a mount that is missing would be lost when it comes back.
    return mount_root(board, base).map([&] { return root; });
}

Result<void> Changes::unmount_roots() {
    // Longest first: nothing is taken away under what lies in it.
    for (auto at = mounts_.rbegin(); at != mounts_.rend(); ++at) {
        if (auto done = host().unmount(*at); !done) return done;
    }
    mounts_.clear();
    return {};
}

// ---- taking one away

Result<void> Changes::remove_board_root(std::string_view board, std::string_view base) {
    const Path tree = paths().board_root(board, base);
    const Path link = paths().board_root(board);
    const auto status = host().status(link);
    if (!status) return tl::unexpected(status.error());
    if (*status) {
        const auto target = host().read_link(link);
        if (target && *target == tree.filename()) {
            if (auto removed = host().remove_all(link); !removed) return removed;
        }
    }
    if (mounts_.erase(tree) != 0) {
        if (auto done = host().unmount(tree); !done) return done;
    }
    const Path leaving = paths().board(board) / leaving_root_name;
    const Path overlay = overlay_of(paths(), board, base);
    const auto has_overlay = host().status(overlay);
    if (!has_overlay) return tl::unexpected(has_overlay.error());
    auto done = remove_aside(tree, leaving);
    if (done && *has_overlay) done = remove_aside(overlay, leaving);
    return done.and_then([&] { return remove_board_if_empty(board); });
}

// An overlay's directory without its root: it was being adopted or removed.
Result<void> Changes::remove_leftovers_of(const std::string& board) {
    const Path directory = paths().board(board);
    const auto entries = host().list(directory);
    if (!entries) return tl::unexpected(entries.error());
    const auto has = [&](const std::string& name) {
        return std::any_of(entries->begin(), entries->end(), [&](const auto& entry) {
            return entry.name == name;
        });
    };
    for (const host::DirectoryEntry& entry : *entries) {
        bool leftover = entry.name == staged_root_name || entry.name == leaving_root_name;
        // A file that was being written aside: nobody may come to write that one again.
        leftover =
            leftover || (entry.name.starts_with('.') && entry.name.ends_with(".bramble-new"));
        if (entry.name.starts_with(overlay_prefix)) {
            const std::string base = entry.name.substr(overlay_prefix.size());
            leftover = !has(std::string(root_prefix) + base);
        }
        if (!leftover) continue;
        const Path left = directory / entry.name;
        for (auto at = mounts_.begin(); at != mounts_.end();) {
            if (!is_below(*at, left)) {
                ++at;
                continue;
            }
            if (auto done = host().unmount(*at); !done) return done;
            at = mounts_.erase(at);
        }
        if (auto removed = host().remove_all(left); !removed) return removed;
    }
    return {};
}

Result<void> Changes::remove_leftovers() {
    for (const Path& place : {paths().boards(), paths().roots()}) {
        const auto mounted = host().mounts_below(place);
        if (!mounted) return tl::unexpected(mounted.error());
        mounts_.insert(mounted->begin(), mounted->end());
    }
    // One by one: a subvolume inside of a directory is not taken apart with it.
    const auto staged = list_if_there(host(), paths().staging());
    if (!staged) return tl::unexpected(staged.error());
    for (const host::DirectoryEntry& entry : *staged) {
        const Path left = paths().staging() / entry.name;
        if (auto removed = host().remove_all(left); !removed) return removed;
    }
    const auto bases = host().list(paths().roots());
    if (!bases) return tl::unexpected(bases.error());
    for (const host::DirectoryEntry& base : *bases) {
        if (!base.name.starts_with(aside_prefix)) continue;
        if (auto removed = host().remove_all(paths().root(base.name)); !removed) return removed;
    }
    const auto boards = host().list(paths().boards());
    if (!boards) return tl::unexpected(boards.error());
    for (const host::DirectoryEntry& board : *boards) {
        if (board.kind != host::FileKind::directory) continue;
        if (auto removed = remove_leftovers_of(board.name); !removed) return removed;
    }
    return {};
}

}  // namespace bramble::store
