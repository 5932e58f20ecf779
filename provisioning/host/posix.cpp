#include "provisioning/host/posix.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

namespace bramble::host::posix {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

FileKind kind_of(mode_t mode) {
    if (S_ISREG(mode)) return FileKind::regular;
    if (S_ISDIR(mode)) return FileKind::directory;
    if (S_ISLNK(mode)) return FileKind::symlink;
    return FileKind::other;
}

// Of an entry as its directory tells it: no call for each of ten thousands of files.
std::optional<FileKind> told_kind(const dirent& entry) {
    switch (entry.d_type) {
        case DT_REG:
            return FileKind::regular;
        case DT_DIR:
            return FileKind::directory;
        case DT_LNK:
            return FileKind::symlink;
        case DT_UNKNOWN:  // some filesystems leave it to those who ask
            return std::nullopt;
        default:
            return FileKind::other;
    }
}

std::string aside_name(const std::string& name) {
    return "." + name + ".bramble-new";
}

// Renames `aside` over `name` in one directory and makes that last.
Result<void> put_in_place(
    const Fd& directory, const std::string& name, const Path& path, Sync when
) {
    if (::renameat(directory.get(), aside_name(name).c_str(), directory.get(), name.c_str()) != 0) {
        return failure("rename into place", path);
    }
    return sync(directory, path, when);
}

}  // namespace

tl::unexpected<Error> failure(std::string_view doing, const Path& path) {
    const int reason = errno;
    return fail(fmt::format("cannot {} '{}': {}", doing, path.string(), std::strerror(reason)));
}

Path parent_of(const Path& path) {
    const Path parent = path.parent_path();
    return parent.empty() ? Path(".") : parent;
}

Result<Fd> open_directory(const Path& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failure("open directory", path);
    return fd;
}

Result<void> sync(const Fd& fd, const Path& path, Sync when) {
    if (when == Sync::now && ::fsync(fd.get()) != 0) return failure("sync", path);
    return {};
}

Result<void> write_all(const Fd& fd, std::string_view bytes, const Path& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd.get(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failure("write", path);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<std::string> read_all(const Fd& fd, const Path& path, std::uint64_t bytes_max) {
    struct stat found {};

    if (::fstat(fd.get(), &found) != 0) return failure("read", path);
    if (!S_ISREG(found.st_mode)) {
        return fail(fmt::format("cannot read '{}': not a regular file", path.string()));
    }
    std::string text;
    text.reserve(std::min<std::uint64_t>(static_cast<std::uint64_t>(found.st_size), bytes_max));
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failure("read", path);
        if (count == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > bytes_max) {
            return fail(fmt::format("cannot read '{}': over {} bytes", path.string(), bytes_max));
        }
    }
}

Result<void> write_at(
    const Fd& directory, const std::string& name, const NewFile& file, const Path& path
) {
    const std::string aside = aside_name(name);
    ::unlinkat(directory.get(), aside.c_str(), 0);  // a leftover of a run that was killed
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const Fd fd(::openat(directory.get(), aside.c_str(), flags, 0600));
    if (!fd) return failure("create", path);
    Result<void> done = write_all(fd, file.bytes, path);
    if (done && file.owner && ::fchown(fd.get(), file.owner->uid, file.owner->gid) != 0) {
        done = failure("set the owner of", path);
    }
    if (done && ::fchmod(fd.get(), file.mode) != 0) done = failure("set the mode of", path);
    if (done) done = sync(fd, path, file.sync);
    if (done) done = put_in_place(directory, name, path, file.sync);
    if (!done) ::unlinkat(directory.get(), aside.c_str(), 0);
    return done;
}

Result<void> symlink_at(
    const Fd& directory, const std::string& name, const Path& target, const Path& path, Sync when
) {
    const std::string aside = aside_name(name);
    ::unlinkat(directory.get(), aside.c_str(), 0);
    if (::symlinkat(target.c_str(), directory.get(), aside.c_str()) != 0) {
        return failure("make the link", path);
    }
    return put_in_place(directory, name, path, when);
}

Result<std::optional<FileStatus>> status_at(
    const Fd& directory, const std::string& name, const Path& path
) {
    struct stat found {};

    const int at = directory ? directory.get() : AT_FDCWD;
    if (::fstatat(at, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        return failure("look at", path);
    }
    return FileStatus{
        kind_of(found.st_mode),
        static_cast<std::uint64_t>(found.st_size),
        found.st_mtim.tv_sec * ns_per_second + found.st_mtim.tv_nsec,
        found.st_mode & 07777U,
        found.st_uid,
        found.st_gid,
        found.st_ctim.tv_sec * ns_per_second + found.st_ctim.tv_nsec};
}

// At the end, and only there, null with errno 0.
static const dirent* next_of(DIR* stream) {
    errno = 0;
    return ::readdir(stream);
}

Result<std::vector<DirectoryEntry>> list_fd(Fd directory, const Path& path) {
    DIR* opened = ::fdopendir(directory.get());
    if (opened == nullptr) return failure("list", path);
    directory.release();  // the stream owns it now
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(opened, ::closedir);
    std::vector<DirectoryEntry> entries;
    while (const dirent* entry = next_of(stream.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;

        if (const auto kind = told_kind(*entry)) {
            entries.push_back({name, *kind});
            continue;
        }

        struct stat found {};

        if (::fstatat(::dirfd(stream.get()), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
            entries.push_back({name, kind_of(found.st_mode)});
        }
    }
    if (errno != 0) return failure("list", path);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return a.name < b.name;
    });
    return entries;
}

}  // namespace bramble::host::posix
