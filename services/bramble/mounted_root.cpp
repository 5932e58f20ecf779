#include "services/bramble/mounted_root.hpp"

#include <algorithm>

namespace bramble::program {
namespace {

using rehearsal::EntryKind;
using rehearsal::RootEntry;

constexpr std::size_t file_bytes_max = 1U << 20U;  // an fstab

EntryKind kind_of(nfs::EntryKind kind) {
    switch (kind) {
        case nfs::EntryKind::file:
            return EntryKind::file;
        case nfs::EntryKind::directory:
            return EntryKind::directory;
        case nfs::EntryKind::symlink:
            return EntryKind::symlink;
        case nfs::EntryKind::other:
            break;
    }
    return EntryKind::other;
}

}  // namespace

// A server tells what is missing and what is forbidden by one kind of error; the directory says
// which it is.
Result<std::optional<RootEntry>> MountedRoot::status(const std::string& path) {
    const auto attributes = client_.status(path);
    if (attributes) return std::optional(RootEntry{kind_of(attributes->kind), attributes->mode});
    const auto slash = path.rfind('/');
    const auto names = client_.list(slash == 0 ? "/" : path.substr(0, slash));
    if (!names) return tl::unexpected(names.error());
    const bool there = std::ranges::find(*names, path.substr(slash + 1)) != names->end();
    if (there) return tl::unexpected(attributes.error());
    return std::optional<RootEntry>();
}

Result<std::string> MountedRoot::read_link(const std::string& path) {
    return client_.read_link(path);
}

Result<std::string> MountedRoot::read_file(const std::string& path) {
    return client_.read_file(path, file_bytes_max);
}

Result<std::vector<std::string>> MountedRoot::list(const std::string& path) {
    return client_.list(path);
}

Result<rehearsal::Access> MountedRoot::access(const std::string& path) {
    return client_.access(path).map([](const nfs::Access& allowed) {
        return rehearsal::Access{allowed.read, allowed.execute};
    });
}

Result<rehearsal::Room> MountedRoot::room() {
    return client_.room().map([](const nfs::Room& room) {
        return rehearsal::Room{room.bytes, room.bytes_free, room.files, room.files_free};
    });
}

}  // namespace bramble::program
