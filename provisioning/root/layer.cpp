#include "provisioning/root/layer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bramble::root {
namespace {

using host::Path;
using Kind = CpioEntry::Kind;

bool is_whiteout(const CpioEntry& entry) {
    return entry.kind == Kind::character_device;
}

host::FileKind kind_of(const CpioEntry& entry) {
    switch (entry.kind) {
        case Kind::directory:
            return host::FileKind::directory;
        case Kind::symlink:
            return host::FileKind::symlink;
        case Kind::character_device:
            return host::FileKind::other;
        case Kind::file:
            break;
    }
    return host::FileKind::regular;
}

host::FileStatus status_of(const CpioEntry& entry) {
    host::FileStatus status;
    status.kind = kind_of(entry);
    status.size = entry.content.size();
    status.mode = entry.mode;
    status.uid = entry.uid;
    status.gid = entry.gid;
    return status;
}

std::string key_of(const Path& relative) {
    return relative.lexically_normal().relative_path().string();
}

}  // namespace

Result<std::optional<host::FileStatus>> Layer::status(const Path& relative) {
    const auto own = entries_.find(key_of(relative));
    if (own == entries_.end()) return host_.status_in(base_, relative);
    if (is_whiteout(own->second)) return std::optional<host::FileStatus>();
    return std::optional(status_of(own->second));
}

Result<std::string> Layer::read_file(const Path& relative) {
    const auto own = entries_.find(key_of(relative));
    if (own == entries_.end()) return host_.read_file_in(base_, relative);
    if (own->second.kind == Kind::file) return own->second.content;
    return fail(fmt::format("'{}' is no regular file", relative.string()));
}

Result<std::vector<host::DirectoryEntry>> Layer::list(const Path& relative) {
    std::map<std::string, host::FileKind> names;
    const auto below = host_.status_in(base_, relative);
    if (!below) return tl::unexpected(below.error());
    if (*below) {
        const auto listed = host_.list_in(base_, relative);
        if (!listed) return tl::unexpected(listed.error());
        for (const host::DirectoryEntry& entry : *listed) names[entry.name] = entry.kind;
    } else if (!entries_.contains(key_of(relative))) {
        return fail(fmt::format("there is no directory '{}'", relative.string()));
    }
    const std::string prefix = key_of(relative) + "/";
    for (auto at = entries_.lower_bound(prefix);
         at != entries_.end() && at->first.starts_with(prefix);
         ++at) {
        const std::string name = at->first.substr(prefix.size());
        if (name.find('/') != std::string::npos) continue;
        if (is_whiteout(at->second)) {
            names.erase(name);
        } else {
            names[name] = kind_of(at->second);
        }
    }
    std::vector<host::DirectoryEntry> result;
    for (const auto& [name, kind] : names) result.push_back({name, kind});
    return result;
}

Result<void> Layer::make_parents(const Path& relative) {
    Path at;
    for (const Path& part : relative.parent_path()) {
        at /= part;
        if (entries_.contains(at.string())) continue;
        const auto below = host_.status_in(base_, at);
        if (!below) return tl::unexpected(below.error());
        CpioEntry directory{Kind::directory, at.string(), 0755, {}, 0, 0};
        if (*below) {
            if ((*below)->kind != host::FileKind::directory) {
                return fail(fmt::format(
                    "'{}' leads through '{}', which is no directory in the base tree",
                    relative.string(),
                    at.string()
                ));
            }
            directory.mode = (*below)->mode;
            directory.uid = (*below)->uid;
            directory.gid = (*below)->gid;
        }
        entries_[at.string()] = std::move(directory);
    }
    return {};
}

Result<void> Layer::put(CpioEntry entry) {
    if (entry.path.empty() || *Path(entry.path).begin() == "..") {
        return fail(fmt::format("'{}' is no path in a root tree", entry.path));
    }
    return make_parents(entry.path).map([&] {
        std::string key = entry.path;
        entries_[std::move(key)] = std::move(entry);
    });
}

Result<void> Layer::write_file(
    const Path& relative, std::string_view bytes, std::uint32_t mode, host::Owner owner
) {
    return put({Kind::file, key_of(relative), mode, std::string(bytes), 0, 0, owner.uid, owner.gid}
    );
}

Result<void> Layer::make_directories(const Path& relative, std::uint32_t mode, host::Owner owner) {
    const auto there = status(relative);
    if (!there) return tl::unexpected(there.error());
    if (*there && (*there)->kind == host::FileKind::directory) return {};
    return put({Kind::directory, key_of(relative), mode, {}, 0, 0, owner.uid, owner.gid});
}

Result<void> Layer::symlink(const Path& relative, const Path& target) {
    return put({Kind::symlink, key_of(relative), 0777, target.string(), 0, 0});
}

Result<void> Layer::remove(const Path& relative) {
    const std::string key = key_of(relative);
    entries_.erase(key);
    std::erase_if(entries_, [&](const auto& entry) { return entry.first.starts_with(key + "/"); });
    const auto below = host_.status_in(base_, relative);
    if (!below) return tl::unexpected(below.error());
    if (!*below) return {};
    return put({Kind::character_device, key, 0, {}, 0, 0});
}

Result<std::string> Layer::pack() const {
    std::vector<CpioEntry> entries;
    for (const auto& [path, entry] : entries_) entries.push_back(entry);
    return write_cpio_gzip(std::move(entries));
}

}  // namespace bramble::root
