// Host calls inside a tree that others write to: every path is resolved by the kernel as if the
// tree were "/" (openat2 with RESOLVE_IN_ROOT), and the last part is acted upon through its
// directory's descriptor, so a link exchanged meanwhile leads nowhere else.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "provisioning/host/posix.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::host {
namespace {

using namespace posix;

constexpr int remove_depth_max = 64;

Fd open_resolved(
    const Fd& at, const std::string& name, std::uint64_t flags, std::uint64_t resolve
) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = resolve;
    return Fd(static_cast<int>(::syscall(SYS_openat2, at.get(), name.c_str(), &how, sizeof how)));
}

// Opens `relative` below `root`; -1 and errno when it cannot.
Fd open_inside(const Fd& root, const Path& relative, std::uint64_t flags) {
    const std::string name = relative.empty() ? "." : relative.string();
    return open_resolved(root, name, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

struct Spot {
    Fd directory;
    std::string name;
    Path shown;  // for messages
};

Result<Spot> find_spot(const Path& root, const Path& relative) {
    const Path inside = relative.relative_path();
    const std::string name = inside.filename().string();
    if (name.empty() || name == "." || name == "..") {
        return fail(fmt::format("'{}' names no file in '{}'", relative.string(), root.string()));
    }
    Result<Fd> top = open_directory(root);
    if (!top) return tl::unexpected(top.error());
    Fd directory = open_inside(*top, inside.parent_path(), O_RDONLY | O_DIRECTORY);
    if (!directory) return failure("open the directory of", root / inside);
    return Spot{std::move(directory), name, root / inside};
}

Result<void> remove_at(const Fd& directory, const std::string& name, int depth, const Path& path) {
    if (::unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return failure("remove", path);
    if (depth == remove_depth_max) {
        return fail(fmt::format("cannot remove '{}': nested too deeply", path.string()));
    }
    // Neither links nor mounts are entered.
    const Fd inner = open_resolved(
        directory, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV
    );
    if (!inner) return failure("remove", path);
    Fd listing(::openat(inner.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!listing) return failure("remove", path);
    const auto entries = list_fd(std::move(listing), path);
    if (!entries) return tl::unexpected(entries.error());
    for (const DirectoryEntry& entry : *entries) {
        if (auto done = remove_at(inner, entry.name, depth + 1, path / entry.name); !done) {
            return done;
        }
    }
    if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) != 0) {
        return failure("remove", path);
    }
    return {};
}

}  // namespace

Result<std::optional<FileStatus>> RealHost::status_in(const Path& root, const Path& relative) {
    const Result<Fd> top = open_directory(root);
    if (!top) return tl::unexpected(top.error());
    const Path inside = relative.relative_path();
    const Fd directory = open_inside(*top, inside.parent_path(), O_PATH | O_DIRECTORY);
    if (!directory) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        return failure("look at", root / inside);
    }
    return status_at(directory, inside.filename().string(), root / inside);
}

Result<std::string> RealHost::read_file_in(const Path& root, const Path& relative) {
    const Result<Fd> top = open_directory(root);
    if (!top) return tl::unexpected(top.error());
    const Path inside = relative.relative_path();
    const Fd fd = open_inside(*top, inside, O_RDONLY | O_NONBLOCK);
    if (!fd) return failure("open", root / inside);
    return read_all(fd, root / inside, read_bytes_max);
}

Result<std::vector<DirectoryEntry>> RealHost::list_in(const Path& root, const Path& relative) {
    const Result<Fd> top = open_directory(root);
    if (!top) return tl::unexpected(top.error());
    const Path inside = relative.relative_path();
    Fd fd = open_inside(*top, inside, O_RDONLY | O_DIRECTORY);
    if (!fd) return failure("list", root / inside);
    return list_fd(std::move(fd), root / inside);
}

Result<void> RealHost::write_file_in(
    const Path& root,
    const Path& relative,
    std::string_view bytes,
    std::uint32_t mode,
    Owner owner,
    Sync sync
) {
    const Path parent = relative.relative_path().parent_path();
    if (auto made = make_directories_in(root, parent, 0755, {}, sync); !made) return made;
    return find_spot(root, relative).and_then([&](const Spot& spot) {
        return write_at(spot.directory, spot.name, {bytes, mode, owner, sync}, spot.shown);
    });
}

Result<void> RealHost::make_directories_in(
    const Path& root, const Path& relative, std::uint32_t mode, Owner owner, Sync sync
) {
    Result<Fd> top = open_directory(root);
    if (!top) return tl::unexpected(top.error());
    Path made;
    for (const Path& part : relative.relative_path()) {
        const Fd parent = open_inside(*top, made, O_RDONLY | O_DIRECTORY);
        if (!parent) return failure("open directory", root / made);
        made /= part;
        if (open_inside(*top, made, O_PATH | O_DIRECTORY)) continue;
        if (::mkdirat(parent.get(), part.c_str(), 0700) != 0) {
            // Another thread or a board made it meanwhile.
            const bool there = errno == EEXIST;
            if (there && open_inside(*top, made, O_PATH | O_DIRECTORY)) continue;
            if (there) errno = EEXIST;
            return failure("make directory", root / made);
        }
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        const Fd fresh(::openat(parent.get(), part.c_str(), flags));
        if (!fresh || ::fchown(fresh.get(), owner.uid, owner.gid) != 0 ||
            ::fchmod(fresh.get(), mode) != 0) {
            return failure("make directory", root / made);
        }
        if (auto synced = posix::sync(parent, root / made, sync); !synced) return synced;
    }
    return {};
}

Result<void> RealHost::symlink_in(
    const Path& root, const Path& relative, const Path& target, Sync sync
) {
    const Path parent = relative.relative_path().parent_path();
    if (auto made = make_directories_in(root, parent, 0755, {}, sync); !made) return made;
    return find_spot(root, relative).and_then([&](const Spot& spot) {
        return symlink_at(spot.directory, spot.name, target, spot.shown, sync);
    });
}

Result<void> RealHost::remove_in(const Path& root, const Path& relative) {
    const auto there = status_in(root, relative);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return {};
    return find_spot(root, relative).and_then([&](const Spot& spot) {
        return remove_at(spot.directory, spot.name, 0, spot.shown);
    });
}

}  // namespace bramble::host
