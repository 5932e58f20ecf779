#include <fmt/format.h>

#include <set>

#include "provisioning/host/memory_host.hpp"

// Every call first asks whether it is the one that has to fail.
#define BRAMBLE_ENTER(call, path) \
    if (auto entered = enter(call, path); !entered) return tl::unexpected(entered.error())

namespace bramble::host {
namespace {

tl::unexpected<Error> failed(std::string_view doing, const Path& path, std::string_view why) {
    return fail(fmt::format("cannot {} '{}': {}", doing, path.string(), why));
}

constexpr std::string_view missing = "No such file or directory";
constexpr std::string_view busy = "Device or resource busy";

}  // namespace

Result<std::optional<FileStatus>> MemoryHost::status(const Path& path) {
    return status_in("", path);
}

Result<std::optional<FileStatus>> MemoryHost::status_in(const Path& root, const Path& relative) {
    BRAMBLE_ENTER("look at", relative);
    const Node* node = find(resolve(root.string(), relative, false));
    if (node == nullptr) return std::nullopt;
    return node->status;
}

Result<std::string> MemoryHost::read_file(const Path& path, std::uint64_t bytes_max) {
    BRAMBLE_ENTER("read", path);
    const Node* node = find_file(resolve("", path, true));
    if (node == nullptr) return failed("open", path, missing);
    if (node->content->bytes.size() > bytes_max) return failed("read", path, "too long");
    return node->content->bytes;
}

Result<std::string> MemoryHost::read_file_in(const Path& root, const Path& relative) {
    BRAMBLE_ENTER("read", relative);
    const Node* node = find_file(resolve(root.string(), relative, true));
    if (node == nullptr) return failed("open", root / relative.relative_path(), missing);
    return node->content->bytes;
}

Result<Path> MemoryHost::read_link(const Path& path) {
    BRAMBLE_ENTER("read the link", path);
    const Node* node = find(resolve("", path, false));
    if (node == nullptr || node->kind != FileKind::symlink) {
        return failed("read the link", path, missing);
    }
    return node->target;
}

Result<std::vector<DirectoryEntry>> MemoryHost::list(const Path& directory) {
    return list_in("", directory);
}

Result<std::vector<DirectoryEntry>> MemoryHost::list_in(const Path& root, const Path& relative) {
    BRAMBLE_ENTER("list", relative);
    const std::string at = resolve(root.string(), relative, true);
    const Node* node = find(at);
    if (node == nullptr || node->kind != FileKind::directory) {
        return failed("open directory", relative, missing);
    }
    return entries_of(at);
}

Result<HashedFile> MemoryHost::hash_file(const Path& path) {
    BRAMBLE_ENTER("read", path);
    const Node* node = find_file(resolve("", path, true));
    if (node == nullptr) return failed("open", path, missing);
    return HashedFile{Digest::of(node->content->bytes), node->content->bytes.size()};
}

Result<void> MemoryHost::write_file(const Path& path, std::string_view bytes, std::uint32_t mode) {
    BRAMBLE_ENTER("write", path);
    return put(resolve("", path, false), bytes, mode, true);
}

Result<HashedFile> MemoryHost::copy_file(const Path& from, const Path& to, std::uint32_t mode) {
    BRAMBLE_ENTER("copy to", to);
    const Node* source = find_file(resolve("", from, true));
    if (source == nullptr) return failed("open", from, missing);
    const std::string target = resolve("", to, false);
    if (find(target) != nullptr) return failed("create", to, "File exists");
    const std::string bytes = source->content->bytes;
    return put(target, bytes, mode, true).map([&] {
        return HashedFile{Digest::of(bytes), bytes.size()};
    });
}

Result<void> MemoryHost::make_directories(const Path& path) {
    return make_directories_in("", path, 0755, {}, Sync::now);
}

Result<void> MemoryHost::make_directories_in(
    const Path& root, const Path& relative, std::uint32_t mode, Owner owner, Sync /*sync*/
) {
    BRAMBLE_ENTER("make directory", relative);
    return make_inside(root, relative, mode, owner);
}

Result<void> MemoryHost::make_inside(
    const Path& root, const Path& relative, std::uint32_t mode, Owner owner
) {
    Path made;
    for (const Path& part : relative.relative_path()) {
        made /= part;
        const std::string at = resolve(root.string(), made, true);
        if (at.empty()) return failed("make directory", made, missing);
        Node* node = find(at);
        if (node != nullptr && node->kind != FileKind::directory) {
            return failed("make directory", made, "File exists");
        }
        if (node != nullptr) continue;
        if (at != resolve(root.string(), made, false)) {  // a link that leads to nothing
            return failed("make directory", made, "File exists");
        }
        node = make_directory_node(at);
        node->status.mode = mode;
        node->status.uid = owner.uid;
        node->status.gid = owner.gid;
    }
    return {};
}

Result<void> MemoryHost::rename(const Path& from, const Path& to) {
    BRAMBLE_ENTER("rename to", to);
    const std::string source = resolve("", from, false);
    const std::string target = resolve("", to, false);
    const Node* moved = find(source);
    if (moved == nullptr || target.empty()) return failed("rename", from, missing);
    if (find(Path(target).parent_path().string()) == nullptr)
        return failed("rename to", to, missing);
    if (has_mount(source) || has_mount(target)) return failed("rename to", to, busy);
    if (mount_of(source) != mount_of(target)) {
        return failed("rename to", to, "Invalid cross-device link");
    }
    const bool directory = moved->kind == FileKind::directory;
    if (directory && below(target).size() > 1)
        return failed("rename to", to, "Directory not empty");
    remove_node(target);
    for (const std::string& path : below(source)) {
        auto node = nodes_.extract(path);
        node.key() = target + path.substr(source.size());
        nodes_.insert(std::move(node));
    }
    return {};
}

Result<void> MemoryHost::replace_symlink(const Path& target, const Path& link) {
    BRAMBLE_ENTER("make the link", link);
    const std::string at = resolve("", link, false);
    const Node* there = find(at);
    if (there != nullptr && there->kind == FileKind::directory) {
        return failed("make the link", link, "Is a directory");
    }
    put_symlink(at, target);
    return {};
}

Result<void> MemoryHost::hard_link(const Path& from, const Path& to) {
    BRAMBLE_ENTER("link as", to);
    const Node* source = find_file(resolve("", from, false));
    if (source == nullptr) return failed("link", from, missing);
    const std::string target = resolve("", to, false);
    if (find(target) != nullptr) return failed("link as", to, "File exists");
    nodes_[target] = *source;
    return {};
}

Result<void> MemoryHost::remove_all(const Path& path) {
    return remove_in("", path);
}

Result<void> MemoryHost::remove_in(const Path& root, const Path& relative) {
    BRAMBLE_ENTER("remove", relative);
    const std::string at = resolve(root.string(), relative, false);
    if (has_mount(at)) return failed("remove", relative, busy);
    if (!at.empty()) remove_node(at);
    return {};
}

std::string MemoryHost::filesystem_of(const Path& /*path*/) {
    return filesystem;
}

std::optional<std::uint64_t> MemoryHost::free_bytes(const Path& /*path*/) {
    return free;
}

Result<std::uint64_t> MemoryHost::occupied_bytes(const Path& path) {
    BRAMBLE_ENTER("measure", path);
    std::set<const Content*> counted;
    std::uint64_t bytes = 0;
    for (const std::string& one : below(resolve("", path, false))) {
        const Content* content = nodes_.at(one).content.get();
        if (content != nullptr && counted.insert(content).second) bytes += content->bytes.size();
    }
    return bytes;
}

Result<void> MemoryHost::copy_tree(
    const Path& from, const Path& to, const std::stop_token& /*stop*/, Blocks blocks
) {
    const bool shares = filesystem == "xfs" || filesystem == "btrfs";
    if (blocks == Blocks::shared && !shares) return fail("cannot share blocks here");
    const bool was_dark = dark_;
    const auto entered = enter("copy to", to);
    if (was_dark) return entered;
    const std::string source = resolve("", from, false);
    const std::string target = resolve("", to, false);
    if (find(source) == nullptr || target.empty()) return failed("copy", from, missing);
    const Node* there = find(target);
    if (there != nullptr && !there->subvolume) return failed("copy to", to, "File exists");
    const bool into_subvolume = there != nullptr;
    std::vector<std::string> paths = below(source);
    if (!entered) paths.resize(paths.size() / 2);  // a copy fails half-way, as real ones do
    std::map<const Content*, std::shared_ptr<Content>> copies;  // hard links stay hard links
    for (const std::string& path : paths) {
        Node node = nodes_.at(path);
        if (node.content) {
            auto& copy = copies[node.content.get()];
            if (!copy) copy = std::make_shared<Content>(Content{node.content->bytes, false});
            node.content = copy;
        }
        node.subvolume = into_subvolume && path == source;
        nodes_[target + path.substr(source.size())] = std::move(node);
    }
    return entered;
}

Result<void> MemoryHost::sync_tree(const Path& path) {
    BRAMBLE_ENTER("sync", path);
    const std::string at = resolve("", path, true);
    if (find(at) == nullptr) return failed("sync", path, missing);
    for (const std::string& inner : below(at)) {
        if (const auto& content = nodes_.at(inner).content) content->synced = true;
    }
    return {};
}

Result<void> MemoryHost::write_file_in(
    const Path& root,
    const Path& relative,
    std::string_view bytes,
    std::uint32_t mode,
    Owner owner,
    Sync sync
) {
    BRAMBLE_ENTER("write", relative);
    const Path inside = relative.relative_path();
    if (auto made = make_inside(root, inside.parent_path(), 0755, {}); !made) return made;
    const std::string at = resolve(root.string(), inside, false);
    const Node* there = find(at);
    if (there != nullptr && there->kind == FileKind::directory) {
        return failed("write", relative, "Is a directory");
    }
    if (auto done = put(at, bytes, mode, sync == Sync::now); !done) return done;
    find(at)->status.uid = owner.uid;
    find(at)->status.gid = owner.gid;
    return {};
}

Result<void> MemoryHost::symlink_in(
    const Path& root, const Path& relative, const Path& target, Sync /*sync*/
) {
    BRAMBLE_ENTER("make the link", relative);
    const Path inside = relative.relative_path();
    if (auto made = make_inside(root, inside.parent_path(), 0755, {}); !made) return made;
    put_symlink(resolve(root.string(), inside, false), target);
    return {};
}

}  // namespace bramble::host
