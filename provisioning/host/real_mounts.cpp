// Subvolumes and mounts by system calls alone: no program has to be installed, and a path with
// commas or blanks means itself.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "provisioning/host/posix.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::host {
namespace {

using namespace posix;

tl::unexpected<Error> in_use(const OverlayMount& overlay, const Path& at) {
    return fail(fmt::format(
        "cannot mount an overlay at '{}': '{}' is in use, perhaps it is mounted in another mount "
        "namespace (a container, a service): end that first",
        at.string(),
        overlay.upper.string()
    ));
}

// Every subvolume's top has this number (btrfs: BTRFS_FIRST_FREE_OBJECTID).
constexpr ino_t subvolume_inode = 256;

// nfs_export gives files handles that outlive the server; index and redirect_dir keep them and hard
// links true when a board renames or links what lies in the base.
constexpr std::string_view overlay_features = "index=on,nfs_export=on,redirect_dir=on";

// Nobody but boards runs what lies in their roots.
constexpr unsigned long root_flags = MS_NOSUID | MS_NODEV;

bool is_subvolume_fd(int fd) {
    struct stat found {};

    struct statfs about {};

    return ::fstat(fd, &found) == 0 && S_ISDIR(found.st_mode) && found.st_ino == subvolume_inode &&
           ::fstatfs(fd, &about) == 0 && about.f_type == BTRFS_SUPER_MAGIC;
}

// Names end up in a field of fixed size.
bool put_name(char* field, std::size_t size, const Path& path) {
    const std::string name = path.filename().string();
    if (name.empty() || name.size() >= size) {
        errno = ENAMETOOLONG;
        return false;
    }
    name.copy(field, name.size());
    return true;
}

// In overlay's options a comma ends an option and a colon a layer.
std::string option_path(const Path& path) {
    std::string text;
    for (const char c : path.string()) {
        if (c == ',' || c == ':' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}

std::string overlay_options(const OverlayMount& overlay) {
    return fmt::format(
        "lowerdir={},upperdir={},workdir={},{}",
        option_path(overlay.lower),
        option_path(overlay.upper),
        option_path(overlay.work),
        overlay_features
    );
}

// proc(5), mountinfo: blanks and backslashes of a path stand there in octal.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 3 >= text.size()) {
            plain += text[i];
            continue;
        }
        unsigned value = 0;
        for (std::size_t digit = 1; digit <= 3; ++digit) {
            value = value * 8 + static_cast<unsigned>(text[i + digit] - '0');
        }
        plain += static_cast<char>(value);
        i += 3;
    }
    return plain;
}

bool kernel_knows_overlay() {
    std::ifstream known("/proc/filesystems");
    for (std::string line; std::getline(known, line);) {
        if (line.ends_with("\toverlay")) return true;
    }
    utsname about{};
    if (::uname(&about) != 0) return false;
    const Path module = Path("/lib/modules") / about.release / "kernel/fs/overlayfs";
    return ::access(module.c_str(), F_OK) == 0;
}

// A directory that is gone with its owner.
class ScratchDirectory {
public:
    explicit ScratchDirectory(const Path& in) : name_((in / ".overlay-probe-XXXXXX").string()) {
        if (::mkdtemp(name_.data()) == nullptr) name_.clear();
    }

    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    ~ScratchDirectory() {
        std::error_code ignored;
        if (!name_.empty()) std::filesystem::remove_all(name_, ignored);
    }

    const std::string& name() const { return name_; }

private:
    std::string name_;
};

// Mounts in a child's own namespace: whatever happens, no mount is left. Answers errno.
int try_overlay(const std::string& options, const std::string& at) {
    const pid_t child = ::fork();
    if (child < 0) return errno;
    if (child == 0) {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0 ||
            ::mount("overlay", at.c_str(), "overlay", root_flags, options.c_str()) != 0) {
            ::_exit(errno);
        }
        // Mounted, but told in the kernel's log alone: without handles there is no export.
        std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
        auto* handle = static_cast<file_handle*>(static_cast<void*>(room.data()));
        handle->handle_bytes = MAX_HANDLE_SZ;
        int mount_id = 0;
        const int got = ::name_to_handle_at(AT_FDCWD, at.c_str(), handle, &mount_id, 0);
        ::_exit(got == 0 ? 0 : errno);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

}  // namespace

bool posix::remove_subvolume(const Path& path) {
    const Fd there(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!there || !is_subvolume_fd(there.get())) return false;
    const Fd parent(::open(parent_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    btrfs_ioctl_vol_args arguments{};
    return parent && put_name(arguments.name, sizeof arguments.name, path) &&
           ::ioctl(parent.get(), BTRFS_IOC_SNAP_DESTROY, &arguments) == 0;
}

Result<bool> RealHost::is_subvolume(const Path& path) {
    const Fd there(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (there) return is_subvolume_fd(there.get());
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return false;
    return failure("look at", path);
}

Result<void> RealHost::make_subvolume(const Path& path) {
    return open_directory(parent_of(path)).and_then([&](const Fd& parent) -> Result<void> {
        btrfs_ioctl_vol_args arguments{};
        if (!put_name(arguments.name, sizeof arguments.name, path) ||
            ::ioctl(parent.get(), BTRFS_IOC_SUBVOL_CREATE, &arguments) != 0) {
            return failure("make the subvolume", path);
        }
        if (::chmod(path.c_str(), 0755) != 0) return failure("set the mode of", path);
        return sync(parent, path);
    });
}

Result<void> RealHost::snapshot(const Path& from, const Path& to) {
    const Result<Fd> source = open_directory(from);
    if (!source) return tl::unexpected(source.error());
    return open_directory(parent_of(to)).and_then([&](const Fd& parent) -> Result<void> {
        btrfs_ioctl_vol_args_v2 arguments{};
        arguments.fd = source->get();
        if (!put_name(arguments.name, sizeof arguments.name, to) ||
            ::ioctl(parent.get(), BTRFS_IOC_SNAP_CREATE_V2, &arguments) != 0) {
            return failure(fmt::format("snapshot '{}' as", from.string()), to);
        }
        return sync(parent, to);
    });
}

std::string RealHost::overlay_problem(const Path& directory) {
    if (!kernel_knows_overlay()) return "this kernel has no overlayfs";
    if (::geteuid() != 0 || ::access(directory.c_str(), F_OK) != 0) return "";
    const ScratchDirectory scratch(directory);
    if (scratch.name().empty()) {
        return fmt::format("'{}' cannot be written: {}", directory.string(), std::strerror(errno));
    }
    const Path top = scratch.name();
    for (const char* part : {"lower", "upper", "work", "merged"}) {
        if (::mkdir((top / part).c_str(), 0700) != 0) return std::strerror(errno);
    }
    const std::string options = overlay_options({top / "lower", top / "upper", top / "work"});
    const int reason = try_overlay(options, top / "merged");
    if (reason == 0) return "";
    return fmt::format(
        "an overlay with {} is refused here: {}", overlay_features, std::strerror(reason)
    );
}

Result<std::vector<Path>> RealHost::mounts_below(const Path& path) {
    std::ifstream table("/proc/self/mountinfo");
    if (!table) return failure("read", "/proc/self/mountinfo");
    // The table shows where a path really leads; the answer is told as it was asked.
    std::error_code error;
    const std::string top = std::filesystem::weakly_canonical(path, error).string();
    std::vector<Path> found;
    for (std::string line; std::getline(table, line);) {
        std::size_t begin = 0;  // the fifth field
        for (int field = 0; field < 4 && begin != std::string::npos; ++field) {
            begin = line.find(' ', begin);
            if (begin != std::string::npos) ++begin;
        }
        if (begin == std::string::npos) continue;
        const std::string at =
            unescaped(std::string_view(line).substr(begin, line.find(' ', begin) - begin));
        if (at == top) found.push_back(path);
        if (at.starts_with(top + "/")) found.push_back(path / at.substr(top.size() + 1));
    }
    return found;
}

Result<void> RealHost::mount_itself(const Path& path, bool shared) {
    if (::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        return failure("mount", path);
    }
    // Shared, it is what others are mounted in; else a root, with a root's flags.
    const int done =
        shared
            ? ::mount(nullptr, path.c_str(), nullptr, MS_SHARED, nullptr)
            : ::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | root_flags, nullptr);
    if (done == 0) return {};
    auto failed = failure("set the flags of the mount", path);
    ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    return failed;
}

// A program that another thread runs in a mount namespace of its own has the mounts of the moment
// in which it began, for as long as it runs: what was just unmounted here may be in use for a
// moment.
Result<void> RealHost::mount_overlay(const OverlayMount& overlay, const Path& at) {
    constexpr auto patience = std::chrono::seconds(3);
    constexpr auto pause = std::chrono::milliseconds(10);
    const std::string options = overlay_options(overlay);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (::mount("overlay", at.c_str(), "overlay", root_flags, options.c_str()) != 0) {
        if (errno != EBUSY) return failure("mount an overlay at", at);
        if (std::chrono::steady_clock::now() > until) return in_use(overlay, at);
        std::this_thread::sleep_for(pause);
    }
    return {};
}

Result<void> RealHost::unmount(const Path& path) {
    if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return {};
    if (errno == EINVAL || errno == ENOENT) return {};
    return failure("unmount", path);
}

}  // namespace bramble::host
