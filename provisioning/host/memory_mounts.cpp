#include <fmt/format.h>

#include <algorithm>

#include "provisioning/host/memory_host.hpp"

namespace bramble::host {
namespace {

tl::unexpected<Error> failed(std::string_view doing, const Path& path, std::string_view why) {
    return fail(fmt::format("cannot {} '{}': {}", doing, path.string(), why));
}

bool is_at_or_below(const std::string& path, const std::string& top) {
    return path == top || path.starts_with(top == "/" ? top : top + "/");
}

}  // namespace

Result<bool> MemoryHost::is_subvolume(const Path& path) {
    if (auto entered = enter("look at", path); !entered) return tl::unexpected(entered.error());
    const Node* node = find(resolve("", path, false));
    return node != nullptr && node->subvolume;
}

Result<void> MemoryHost::make_subvolume(const Path& path) {
    if (auto entered = enter("make subvolume", path); !entered) return entered;
    if (filesystem != "btrfs") return failed("make subvolume", path, "Not supported");
    const std::string at = resolve("", path, false);
    if (at.empty() || find(Path(at).parent_path().string()) == nullptr) {
        return failed("make subvolume", path, "No such file or directory");
    }
    if (find(at) != nullptr) return failed("make subvolume", path, "File exists");
    make_directory_node(at)->subvolume = true;
    return {};
}

Result<void> MemoryHost::snapshot(const Path& from, const Path& to) {
    if (auto entered = enter("make snapshot", to); !entered) return entered;
    const std::string source = resolve("", from, false);
    const std::string target = resolve("", to, false);
    const Node* taken = find(source);
    if (taken == nullptr || !taken->subvolume || target.empty()) {
        return failed("make snapshot", to, "Invalid argument");
    }
    if (find(target) != nullptr) return failed("make snapshot", to, "File exists");
    nodes_[target] = *taken;
    copy_below(source, target);
    return {};
}

std::string MemoryHost::overlay_problem(const Path& /*directory*/) {
    return no_overlay;
}

Result<std::vector<Path>> MemoryHost::mounts_below(const Path& path) {
    if (auto entered = enter("read the mounts of", path); !entered) {
        return tl::unexpected(entered.error());
    }
    std::vector<Path> found;
    for (const MountRecord& mount : mounts_) {
        if (is_at_or_below(mount.at, path.string())) found.emplace_back(mount.at);
    }
    return found;
}

Result<void> MemoryHost::mount_itself(const Path& path, bool /*shared*/) {
    if (auto entered = enter("mount", path); !entered) return entered;
    const Node* node = find(resolve("", path, false));
    if (node == nullptr || node->kind != FileKind::directory) {
        return failed("mount", path, "No such file or directory");
    }
    const std::string at = resolve("", path, false);
    for (const MountRecord& mount : mounts_) {
        // It would come along and be mounted twice.
        if (mount.at != at && is_at_or_below(mount.at, at)) {
            return failed("mount", path, "'" + mount.at + "' below it is a mount already");
        }
    }
    mounts_.push_back({at, std::nullopt});
    return {};
}

Result<void> MemoryHost::mount_overlay(const OverlayMount& overlay, const Path& at) {
    if (auto entered = enter("mount an overlay at", at); !entered) return entered;
    if (!no_overlay.empty()) return failed("mount an overlay at", at, no_overlay);
    const std::string upper = resolve("", overlay.upper, false);
    const std::string place = resolve("", at, false);
    for (const std::string& needed :
         {place, upper, resolve("", overlay.lower, false), resolve("", overlay.work, false)}) {
        const Node* node = find(needed);
        if (node == nullptr || node->kind != FileKind::directory) {
            return failed("mount an overlay at", at, "No such file or directory");
        }
    }
    for (const MountRecord& mount : mounts_) {
        if (mount.upper == upper || mount.at == place) {
            return failed("mount an overlay at", at, "Device or resource busy");
        }
    }
    if (below(place).size() != 1) return failed("mount an overlay at", at, "tests hide no files");
    if (below(upper).size() == 1) {
        copy_below(resolve("", overlay.lower, false), upper);
    }
    move_below(upper, place);
    mounts_.push_back({place, upper});
    return {};
}

Result<void> MemoryHost::unmount(const Path& path) {
    if (auto entered = enter("unmount", path); !entered) return entered;
    const std::string at = resolve("", path, false);
    const auto found = std::find_if(mounts_.rbegin(), mounts_.rend(), [&](const auto& mount) {
        return mount.at == at;
    });
    if (found != mounts_.rend()) take_off(*found);
    return {};
}

void MemoryHost::take_off(const MountRecord& mount) {
    if (mount.upper) move_below(mount.at, *mount.upper);
    std::erase_if(mounts_, [at = mount.at](const MountRecord& one) { return one.at == at; });
}

bool MemoryHost::has_mount(const std::string& resolved) const {
    return std::any_of(mounts_.begin(), mounts_.end(), [&](const MountRecord& mount) {
        return is_at_or_below(mount.at, resolved);
    });
}

std::string MemoryHost::mount_of(const std::string& resolved) const {
    std::string longest;
    for (const MountRecord& mount : mounts_) {
        const bool over = is_at_or_below(resolved, mount.at);
        if (over && mount.at.size() > longest.size()) longest = mount.at;
    }
    return longest;
}

void MemoryHost::move_below(const std::string& from, const std::string& to) {
    for (const std::string& path : below(from)) {
        if (path == from) continue;
        auto node = nodes_.extract(path);
        node.key() = to + path.substr(from.size());
        nodes_.insert(std::move(node));
    }
}

void MemoryHost::copy_below(const std::string& from, const std::string& to) {
    std::map<const Content*, std::shared_ptr<Content>> copies;
    for (const std::string& path : below(from)) {
        if (path == from) continue;
        Node node = nodes_.at(path);
        if (node.content) {
            auto& copy = copies[node.content.get()];
            if (!copy) copy = std::make_shared<Content>(*node.content);
            node.content = copy;
        }
        nodes_[to + path.substr(from.size())] = std::move(node);
    }
}

}  // namespace bramble::host
