// What lies in a store and what of it goes: the hands of a collection.
#include <fmt/format.h>

#include "provisioning/store/image_record.hpp"
#include "provisioning/store/listing.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

Result<void> list_objects(const Store& store, Inventory& there) {
    const Path objects = store.paths().store() / "objects";
    const auto folders = list_if_there(store.host(), objects);
    if (!folders) return tl::unexpected(folders.error());
    for (const host::DirectoryEntry& folder : *folders) {
        if (folder.kind != host::FileKind::directory) continue;
        const auto files = store.host().list(objects / folder.name);
        if (!files) return tl::unexpected(files.error());
        for (const host::DirectoryEntry& file : *files) {
            const auto digest = Digest::parse(file.name);
            if (!digest || file.kind != host::FileKind::regular) continue;  // nobody's: left alone
            const auto status = store.host().status(store.paths().object(*digest));
            if (!status) return tl::unexpected(status.error());
            if (*status) there.objects[*digest] = (*status)->size;
        }
    }
    return {};
}

Result<void> list_images(const Store& store, Inventory& there) {
    const auto files = list_if_there(store.host(), store.paths().images());
    if (!files) return tl::unexpected(files.error());
    for (const host::DirectoryEntry& file : *files) {
        if (file.kind != host::FileKind::regular || !file.name.ends_with(".json")) continue;
        const Path path = store.paths().images() / file.name;
        const auto status = store.host().status(path);
        if (!status) return tl::unexpected(status.error());
        if (*status && (*status)->size > image_record_bytes_max) {
            there.unreadable_images.insert(file.name);
            continue;
        }
        const auto text = store.host().read_file(path, image_record_bytes_max);
        if (!text) return tl::unexpected(text.error());
        auto record = parse_image_record(*text);
        if (record && record->key.to_string() + ".json" == file.name) {
            there.images.push_back(std::move(*record));
        } else {
            there.unreadable_images.insert(file.name);
        }
    }
    return {};
}

Result<void> list_trees(const Store& store, Inventory& there) {
    const auto boards = list_if_there(store.host(), store.paths().boards());
    if (!boards) return tl::unexpected(boards.error());
    for (const host::DirectoryEntry& board : *boards) {
        if (board.kind != host::FileKind::directory) continue;
        const auto entries = store.host().list(store.paths().board(board.name));
        if (!entries) return tl::unexpected(entries.error());
        for (const host::DirectoryEntry& entry : *entries) {
            std::string base = entry.name;
            if (!base.starts_with(root_prefix)) continue;
            base.erase(0, root_prefix.size());
            if (entry.kind == host::FileKind::directory) {
                there.board_trees.insert({board.name, base});
            } else if (entry.kind == host::FileKind::regular && base.ends_with(stamp_suffix)) {
                base.resize(base.size() - stamp_suffix.size());
                there.stamps.insert({board.name, base});
            }
        }
    }
    return {};
}

Result<void> list_kernels(const Store& store, Inventory& there) {
    auto records = store.kernels();
    if (!records) return tl::unexpected(records.error());
    there.kernels = std::move(*records);
    const auto directories = list_if_there(store.host(), kernels_path(store.paths()));
    if (!directories) return tl::unexpected(directories.error());
    for (const host::DirectoryEntry& one : *directories) {
        if (one.kind == host::FileKind::directory) there.unreadable_kernels.insert(one.name);
    }
    for (const plan::KernelRecord& record : there.kernels) {
        there.unreadable_kernels.erase(record.key.to_string());
    }
    return {};
}

// Names as download.hpp gives them; what else may lie there is nobody's, and left alone.
Result<void> list_downloads(const Store& store, Inventory& there) {
    const auto files = list_if_there(store.host(), store.paths().store() / "downloads");
    if (!files) return tl::unexpected(files.error());
    constexpr std::size_t digits = 16;
    for (const host::DirectoryEntry& file : *files) {
        const bool ours = file.kind == host::FileKind::regular &&
                          file.name.find_first_not_of("0123456789abcdef") == digits &&
                          file.name[digits] == '-';
        if (ours) there.downloads.insert(file.name);
    }
    return {};
}

}  // namespace

Result<Inventory> Store::inventory() const {
    Inventory there;
    const auto numbers = generations();
    if (!numbers) return tl::unexpected(numbers.error());
    there.generations.insert(numbers->begin(), numbers->end());
    const auto roots = list_if_there(host_, paths_.roots());
    if (!roots) return tl::unexpected(roots.error());
    for (const host::DirectoryEntry& root : *roots) {
        if (root.name.starts_with(aside_prefix)) continue;
        if (root.kind == host::FileKind::directory) there.roots.insert(root.name);
        if (root.kind != host::FileKind::regular || !root.name.ends_with(initramfs_suffix))
            continue;
        there.shared_roots.insert(root.name.substr(0, root.name.size() - initramfs_suffix.size()));
    }
    return list_objects(*this, there)
        .and_then([&] { return list_images(*this, there); })
        .and_then([&] { return list_kernels(*this, there); })
        .and_then([&] { return list_trees(*this, there); })
        .and_then([&] { return list_downloads(*this, there); })
        .map([&] { return std::move(there); });
}

// From one moment to the next it is not there; then it is taken apart, which may take long and be
// cut short.
Result<void> Changes::remove_aside(const Path& path, const Path& aside) {
    return host().remove_all(aside).and_then([&] { return host().rename(path, aside); }
    ).and_then([&] { return host().remove_all(aside); });
}

Result<void> Changes::remove_generation(std::uint64_t number) {
    return remove_aside(paths().generation(number), staged_name("generation"));
}

Result<void> Changes::remove_image_record(std::string_view name) {
    return host().remove_all(paths().images() / name);
}

Result<void> Changes::remove_root(std::string_view name) {
    if (auto removed = remove_initramfs(name); !removed) return removed;
    return remove_aside(paths().root(name), base_aside("root"));
}

Result<void> Changes::remove_object(const Digest& digest) {
    const Path path = paths().object(digest);
    return host().remove_all(path).and_then([&]() -> Result<void> {
        const auto others = host().list(path.parent_path());
        if (!others) return tl::unexpected(others.error());
        if (!others->empty()) return {};
        return host().remove_all(path.parent_path());
    });
}

Result<void> Changes::remove_stamp(std::string_view board, std::string_view base) {
    Path stamp = paths().board_root(board, base);
    stamp += stamp_suffix;
    return host().remove_all(stamp);
}

Result<void> Changes::remove_download(std::string_view name) {
    return host().remove_all(paths().store() / "downloads" / name);
}

// A board's identity outlives its roots, so only one that never had any goes with them.
Result<void> Changes::remove_board_if_empty(std::string_view board) {
    const auto left = host().list(paths().board(board));
    if (!left) return tl::unexpected(left.error());
    if (!left->empty()) return {};
    return host().remove_all(paths().board(board));
}

}  // namespace bramble::store
