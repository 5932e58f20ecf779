#include <fmt/format.h>

#include <initializer_list>
#include <utility>

#include "provisioning/store/image_record.hpp"
#include "provisioning/store/listing.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

constexpr std::uint32_t object_mode = 0444;
constexpr std::uint32_t group_object_mode = 0440;

// Roots hold set-uid programs and device nodes of somebody else's making, and a board may add more:
// no local user may reach them.
constexpr std::uint32_t private_mode = 0700;

}  // namespace

Result<Changes> Changes::begin(host::Host& host, const layout::StorePaths& paths) {
    if (auto made = host.make_directories(paths.store()); !made) {
        return tl::unexpected(made.error());
    }
    for (const auto& [directory, mode] : std::initializer_list<std::pair<Path, std::uint32_t>>{
             {paths.generations(), 0755},
             {paths.images(), 0755},
             {paths.roots(), private_mode},
             {paths.boards(), private_mode}}) {
        const Path name = directory.filename();
        if (auto made = host.make_directories_in(paths.store(), name, mode, {}); !made) {
            return tl::unexpected(made.error());
        }
    }
    auto lock = host.lock(paths.lock());
    if (!lock) return tl::unexpected(lock.error());
    Changes changes(Store(host, paths), std::move(*lock));
    return changes.remove_leftovers()
        .and_then([&] {
            const Path staging = paths.staging().filename();
            return host.make_directories_in(paths.store(), staging, private_mode, {});
        })
        .and_then([&] { return changes.mount_roots(); })
        .map([&] { return std::move(changes); });
}

Result<layout::ObjectFile> Changes::add_object(const Path& source) {
    const auto seen = host().hash_file(source);
    if (!seen) return tl::unexpected(seen.error());
    const auto there = store_.has_object({seen->digest, seen->size});
    if (!there) return tl::unexpected(there.error());
    if (*there) return layout::ObjectFile{seen->digest, seen->size};
    const Path aside = staged_name("object");
    // The copy's own sum is its name: a source that changes meanwhile gives a true object all the
    // same.
    const auto copied = host().copy_file(source, aside, object_mode);
    if (!copied) return tl::unexpected(copied.error());
    const Path target = paths().object(copied->digest);
    return host()
        .make_directories(target.parent_path())
        .and_then([&] { return host().rename(aside, target); })
        .map([&] {
            return layout::ObjectFile{copied->digest, copied->size};
        });
}

Result<layout::ObjectFile> Changes::add_object(std::string_view bytes, Readers readers) {
    const layout::ObjectFile object{Digest::of(bytes), bytes.size()};
    const std::lock_guard lock(shared_->objects);
    const auto there = store_.has_object(object);
    if (!there) return tl::unexpected(there.error());
    if (*there) return object;
    const auto status = host().status(paths().store());
    if (!status) return tl::unexpected(status.error());
    const Path relative = paths().object(object.digest).lexically_relative(paths().store());
    const bool shown = readers == Readers::everyone;
    return host()
        .write_file_in(
            paths().store(),
            relative,
            bytes,
            shown ? object_mode : group_object_mode,
            {0, *status ? (*status)->gid : gid_t{0}}
        )
        .map([&] { return object; });
}

// `begin` has emptied the place: no name of an earlier run is there.
Path Changes::staged_name(std::string_view name) const {
    return paths().staging() / fmt::format("{}-{}", name, ++shared_->names);
}

Result<Path> Changes::stage(std::string_view name) {
    const Path directory = staged_name(name);
    return host().make_directories(directory).map([&] { return directory; });
}

Path Changes::base_aside(std::string_view name) const {
    return paths().root(aside_prefix + staged_name(name).filename().string());
}

// On btrfs a base is a subvolume, so that boards' roots can be snapshots of it. Whoever made the
// tree knew nothing of that; its blocks are not copied.
Result<void> Changes::adopt_root(const Path& staged, std::string_view name) {
    const Path target = paths().root(name);
    const auto there = host().status(target);
    if (!there) return tl::unexpected(there.error());
    if (*there) return host().remove_all(staged);
    if (!store_.on_btrfs()) {
        return host().sync_tree(staged).and_then([&] { return host().rename(staged, target); });
    }
    const Path base = base_aside("base");
    return host()
        .make_subvolume(base)
        .and_then([&] {
            return host().copy_tree(staged, base, {}, host::Blocks::shared_if_possible);
        })
        .and_then([&] { return host().sync_tree(base); })
        .and_then([&] { return host().rename(base, target); })
        .and_then([&] { return host().remove_all(staged); });
}

Result<void> Changes::record_image(const plan::ImageRecord& record) {
    const std::string text = write_image_record(record);
    if (text.size() > image_record_bytes_max) {
        return fail(fmt::format(
            "the record of this image would have {} bytes, and at most {} are kept: its boot files "
            "name more than any system's do, so take another image",
            text.size(),
            image_record_bytes_max
        ));
    }
    return host().write_file(paths().image(record.key), text);
}

Result<void> Changes::record_identity(
    std::string_view board, std::string_view base, const Digest& identity
) {
    Path stamp = paths().board_root(board, base);
    stamp += ".identity";
    return host().write_file(stamp, identity.to_string() + "\n");
}

Result<std::uint64_t> Changes::publish(layout::Manifest manifest) {
    const auto numbers = store_.generations();
    if (!numbers) return tl::unexpected(numbers.error());
    manifest.generation = numbers->empty() ? 1 : numbers->back() + 1;
    const auto aside = stage("generation");
    if (!aside) return tl::unexpected(aside.error());
    const std::uint64_t number = manifest.generation;
    return host()
        .write_file(*aside / "manifest.json", layout::write_manifest(manifest))
        .and_then([&] { return host().rename(*aside, paths().generation(number)); })
        .and_then([&] { return make_current(number); })
        .map([&] { return number; });
}

Result<void> Changes::make_current(std::uint64_t number) {
    const Path target = paths().generations().filename() / std::to_string(number);
    return host().replace_symlink(target, paths().current());
}

Result<void> Changes::point_board_root(std::string_view board, std::string_view base) {
    const Path link = paths().board_root(board);
    const Path target = paths().board_root(board, base).filename();
    const auto there = host().read_link(link);
    if (there && *there == target) return {};
    return host().replace_symlink(target, link);
}

}  // namespace bramble::store
