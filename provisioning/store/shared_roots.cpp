// What the store remembers of roots that boards share: one initramfs for each, one archive for each
// board.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "provisioning/store/listing.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

namespace json = boost::json;

constexpr std::uint64_t stamp_bytes_max = 4096;

Path initramfs_stamp(const layout::StorePaths& paths, std::string_view base) {
    Path stamp = paths.root(base);
    stamp += initramfs_suffix;
    return stamp;
}

Path identity_stamp(const layout::StorePaths& paths, std::string_view board) {
    return paths.board(board) / "packed-identity";
}

Digest digest_of(const json::object& stamp, std::string_view key) {
    return Digest::parse(std::string_view(stamp.at(key).as_string())).value();
}

layout::ObjectFile object_of(const json::object& stamp) {
    return {digest_of(stamp, "object"), stamp.at("size").to_number<std::uint64_t>()};
}

// Reads a stamp of ours; one that this version would not have written counts as none.
template <typename Value, typename Read>
Result<std::optional<Value>> read_stamp(host::Host& host, const Path& path, const Read& read) {
    const auto there = host.status(path);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return std::nullopt;
    const auto text = host.read_file(path, stamp_bytes_max);
    if (!text) return tl::unexpected(text.error());
    try {
        return std::optional<Value>(read(json::parse(*text).as_object()));
    } catch (const std::exception&) {  // Boost.JSON and value() throw: one answer for all of it
        return std::nullopt;
    }
}

}  // namespace

Result<std::map<std::string, std::optional<layout::ObjectFile>>> Store::shared_roots(
    const Digest& recipe
) const {
    const auto entries = list_if_there(host_, paths_.roots());
    if (!entries) return tl::unexpected(entries.error());
    std::map<std::string, std::optional<layout::ObjectFile>> roots;
    for (const host::DirectoryEntry& entry : *entries) {
        std::string base = entry.name;
        if (!base.ends_with(initramfs_suffix)) continue;
        base.resize(base.size() - initramfs_suffix.size());
        const auto tree = host_.status(paths_.root(base));
        if (!tree) return tl::unexpected(tree.error());
        if (!*tree) continue;
        auto made = read_stamp<layout::ObjectFile>(
            host_,
            initramfs_stamp(paths_, base),
            [&](const json::object& stamp) {
                if (digest_of(stamp, "recipe") != recipe) throw std::invalid_argument("recipe");
                return object_of(stamp);
            }
        );
        if (!made) return tl::unexpected(made.error());
        if (*made) {
            const auto stored = has_object(**made);
            if (!stored) return tl::unexpected(stored.error());
            if (!*stored) made->reset();
        }
        roots.emplace(std::move(base), *made);
    }
    return roots;
}

Result<std::optional<plan::PackedIdentity>> Store::packed_identity(std::string_view board) const {
    auto packed = read_stamp<plan::PackedIdentity>(
        host_,
        identity_stamp(paths_, board),
        [](const json::object& stamp) {
            return plan::PackedIdentity{
                std::string(std::string_view(stamp.at("base").as_string())),
                digest_of(stamp, "identity"),
                object_of(stamp)};
        }
    );
    if (!packed || !*packed) return packed;
    const auto stored = has_object((*packed)->archive);
    if (!stored) return tl::unexpected(stored.error());
    if (!*stored) packed->reset();
    return packed;
}

// On btrfs a base is a subvolume, and servers export that only where it is a mount. Elsewhere a
// directory will do.
Result<void> Changes::mount_shared_root(std::string_view base) {
    if (!store_.on_btrfs()) return {};
    if (auto done = mount_places(); !done) return done;
    const Path root = paths().root(base);
    const std::lock_guard lock(shared_->mounts);
    if (mounts_.contains(root)) return {};
    return host().mount_itself(root, false).map([&] { mounts_.insert(root); });
}

Result<void> Changes::mount_shared_roots() {
    const auto entries = host().list(paths().roots());
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        std::string base = entry.name;
        if (!base.ends_with(initramfs_suffix)) continue;
        base.resize(base.size() - initramfs_suffix.size());
        const auto tree = host().status(paths().root(base));
        if (!tree) return tl::unexpected(tree.error());
        if (!*tree) continue;
        const auto mounted = mount_shared_root(base);
        if (mounted) continue;
        mount_problems_.push_back(
            fmt::format("the shared root {} is not mounted: {}", base, mounted.error().message)
        );
    }
    return {};
}

Result<void> Changes::unmount_shared_root(std::string_view base) {
    const Path root = paths().root(base);
    const std::lock_guard lock(shared_->mounts);
    if (mounts_.erase(root) == 0) return {};
    return host().unmount(root);
}

Result<void> Changes::record_initramfs(
    std::string_view base, const Digest& recipe, const layout::ObjectFile& initramfs
) {
    // The stamp says that the base is shared: by then it can be exported.
    if (auto done = mount_shared_root(base); !done) return done;
    const json::object stamp = {
        {"recipe", recipe.to_string()},
        {"object", initramfs.digest.to_string()},
        {"size", initramfs.size}};
    return host().write_file(initramfs_stamp(paths(), base), json::serialize(stamp) + "\n");
}

Result<void> Changes::record_packed_identity(
    std::string_view board, const plan::PackedIdentity& packed
) {
    const json::object stamp = {
        {"base", packed.base},
        {"identity", packed.identity.to_string()},
        {"object", packed.archive.digest.to_string()},
        {"size", packed.archive.size}};
    return host().write_file(identity_stamp(paths(), board), json::serialize(stamp) + "\n");
}

Result<void> Changes::remove_initramfs(std::string_view base) {
    return unmount_shared_root(base).and_then([&] {
        return host().remove_all(initramfs_stamp(paths(), base));
    });
}

}  // namespace bramble::store
