#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>

#include "provisioning/host/posix.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::host {
namespace {

using namespace posix;

constexpr std::size_t copy_chunk_bytes = 1U << 18U;

// A regular file, opened without waiting for a fifo's other end.
Result<Fd> open_regular(const Path& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return failure("open", path);

    struct stat found {};

    if (::fstat(fd.get(), &found) != 0) return failure("look at", path);
    if (!S_ISREG(found.st_mode)) {
        return fail(fmt::format("cannot read '{}': not a regular file", path.string()));
    }
    return fd;
}

// Reads `from` to its end into a sum and, when there is one, into `to`.
Result<HashedFile> pump(const Fd& from, const Path& path, const Fd* to, const Path& target) {
    Sha256 sum;
    HashedFile result;
    const auto buffer = std::make_unique<std::array<char, copy_chunk_bytes>>();
    for (;;) {
        const ssize_t count = ::read(from.get(), buffer->data(), buffer->size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failure("read", path);
        if (count == 0) break;
        const std::string_view chunk(buffer->data(), static_cast<std::size_t>(count));
        sum.update(chunk);
        result.size += chunk.size();
        if (to == nullptr) continue;
        if (auto written = write_all(*to, chunk, target); !written) {
            return tl::unexpected(written.error());
        }
    }
    result.digest = sum.finish();
    return result;
}

Result<void> sync_directory(const Path& path) {
    return open_directory(path).and_then([&](const Fd& fd) { return sync(fd, path); });
}

// Told never to share, cp takes every byte through its own memory; else the kernel copies
// (copy_file_range), in two thirds of the time. Where nothing can be shared that is a copy as well.
const char* reflink_option(Blocks blocks, std::string_view filesystem) {
    switch (blocks) {
        case Blocks::shared:
            return "--reflink=always";
        case Blocks::copied:
            if (filesystem != "ext4" && filesystem != "tmpfs") return "--reflink=never";
            break;
        case Blocks::shared_if_possible:
            break;
    }
    return "--reflink=auto";
}

class FileLock final : public Lock {
public:
    explicit FileLock(Fd fd) : fd_(std::move(fd)) {}

private:
    Fd fd_;
};

}  // namespace

Result<std::optional<FileStatus>> RealHost::status(const Path& path) {
    return status_at(Fd(), path.string(), path);
}

Result<std::string> RealHost::read_file(const Path& path, std::uint64_t bytes_max) {
    return open_regular(path).and_then([&](const Fd& fd) { return read_all(fd, path, bytes_max); });
}

Result<Path> RealHost::read_link(const Path& path) {
    std::array<char, 4096> buffer;
    const ssize_t count = ::readlink(path.c_str(), buffer.data(), buffer.size());
    if (count < 0) return failure("read the link", path);
    return Path(std::string(buffer.data(), static_cast<std::size_t>(count)));
}

Result<std::vector<DirectoryEntry>> RealHost::list(const Path& directory) {
    return open_directory(directory).and_then([&](Fd fd) {
        return list_fd(std::move(fd), directory);
    });
}

Result<HashedFile> RealHost::hash_file(const Path& path) {
    return open_regular(path).and_then([&](const Fd& fd) { return pump(fd, path, nullptr, {}); });
}

Result<void> RealHost::write_file(const Path& path, std::string_view bytes, std::uint32_t mode) {
    return open_directory(parent_of(path)).and_then([&](const Fd& directory) {
        return write_at(directory, path.filename().string(), {bytes, mode, std::nullopt}, path);
    });
}

Result<HashedFile> RealHost::copy_file(const Path& from, const Path& to, std::uint32_t mode) {
    const Result<Fd> source = open_regular(from);
    if (!source) return tl::unexpected(source.error());
    const Fd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target) return failure("create", to);
    Result<HashedFile> copied = pump(*source, from, &target, to);
    Result<void> done;
    if (copied && ::fchmod(target.get(), mode) != 0) done = failure("set the mode of", to);
    if (copied && done) done = sync(target, to);
    if (copied && done) done = sync_directory(parent_of(to));
    if (!done) copied = tl::unexpected(done.error());
    if (!copied) ::unlink(to.c_str());
    return copied;
}

Result<void> RealHost::make_directories(const Path& path) {
    Path made;
    for (const Path& part : path) {
        made /= part;
        if (::mkdir(made.c_str(), 0755) != 0) {
            if (errno == EEXIST) continue;

            struct stat found {};  // "/" may answer EROFS or EACCES and still be there

            const int reason = errno;
            if (::stat(made.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) continue;
            errno = reason;
            return failure("make directory", made);
        }
        // Whatever the umask: the server reads the store as another user.
        if (::chmod(made.c_str(), 0755) != 0) return failure("set the mode of", made);
        if (auto synced = sync_directory(parent_of(made)); !synced) return synced;
    }
    return open_directory(path).map([](const Fd&) {});
}

Result<void> RealHost::rename(const Path& from, const Path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return failure(fmt::format("rename '{}' to", from.string()), to);
    }
    return sync_directory(parent_of(to)).and_then([&] { return sync_directory(parent_of(from)); });
}

Result<void> RealHost::replace_symlink(const Path& target, const Path& link) {
    return open_directory(parent_of(link)).and_then([&](const Fd& directory) {
        return symlink_at(directory, link.filename().string(), target, link);
    });
}

Result<void> RealHost::hard_link(const Path& from, const Path& to) {
    if (::link(from.c_str(), to.c_str()) != 0) {
        return failure(fmt::format("link '{}' as", from.string()), to);
    }
    return sync_directory(parent_of(to));
}

Result<void> RealHost::remove_all(const Path& path) {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return {};
    if (errno != EISDIR && errno != EPERM) return failure("remove", path);
    if (::rmdir(path.c_str()) == 0) return {};
    if (remove_subvolume(path)) return sync_directory(parent_of(path));
    // A board may have nested directories beyond any depth that recursion here would bear.
    return run_or_fail(
               *this, {.argv = {"rm", "-rf", "--one-file-system", "--", path.string()}}
    ).map([](const CommandOutcome&) {});
}

std::string RealHost::filesystem_of(const Path& path) {
    struct Known {
        long magic;
        const char* name;
    };

    constexpr std::array known = {
        Known{0x9123683e, "btrfs"},
        Known{0x58465342, "xfs"},
        Known{0xef53, "ext4"},
        Known{0x01021994, "tmpfs"},
        Known{0x2fc12fc1, "zfs"},
        Known{0x794c7630, "overlay"}};

    struct statfs about {};

    for (Path at = path;; at = at.parent_path()) {
        if (::statfs(at.c_str(), &about) == 0) break;
        if (errno != ENOENT || at == at.parent_path()) return "";
    }
    for (const Known& one : known) {
        if (static_cast<long>(about.f_type) == one.magic) return one.name;
    }
    return "";
}

Result<void> RealHost::copy_tree(
    const Path& from, const Path& to, const std::stop_token& stop, Blocks blocks
) {
    const auto there = status(to);
    if (!there) return tl::unexpected(there.error());
    if (*there) {
        const auto subvolume = is_subvolume(to);
        if (!subvolume || !*subvolume) {
            return fail(fmt::format("cannot copy to '{}': it exists", to.string()));
        }
    }
    const Command copy = {
        .argv =
            {"cp",
             "-a",
             reflink_option(blocks, filesystem_of(to)),
             "-T",
             "--",
             from.string(),
             to.string()},
        .stop = stop};
    return run_or_fail(*this, copy).map([](const CommandOutcome&) {});
}

Result<void> RealHost::sync_tree(const Path& path) {
    return open_directory(path).and_then([&](const Fd& fd) -> Result<void> {
        if (::syncfs(fd.get()) != 0) return failure("sync the filesystem of", path);
        return {};
    });
}

Result<std::unique_ptr<Lock>> RealHost::lock(const Path& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) return failure("open the lock", path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return failure("lock", path);
        return fail(fmt::format(
            "'{}' is locked: another bramble changes this store now; "
            "wait until it has ended and try again",
            path.string()
        ));
    }
    return std::make_unique<FileLock>(std::move(fd));
}

std::chrono::system_clock::time_point RealHost::now() {
    return std::chrono::system_clock::now();
}

Result<std::string> RealHost::random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t filled = 0;
    while (filled < count) {
        const ssize_t got = ::getrandom(bytes.data() + filled, count - filled, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure("read", "/dev/urandom");
        filled += static_cast<std::size_t>(got);
    }
    return bytes;
}

}  // namespace bramble::host
