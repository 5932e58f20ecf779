// The seam between provisioning and the machine: files, commands, locks, clock. Whoever plans or
// builds asks it and nothing else, so that a test can be the machine; it refuses to know what a
// generation, an image or a board is.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/digest.hpp"
#include "config/types/result.hpp"

namespace bramble::host {

using Path = std::filesystem::path;

enum class FileKind { regular, directory, symlink, other };

// What lstat(2) says, as far as provisioning asks.
struct FileStatus {
    FileKind kind = FileKind::regular;
    std::uint64_t size = 0;  // bytes
    std::int64_t modified_ns = 0;
    std::uint32_t mode = 0;  // permission bits with setuid, setgid and sticky: 07777
    uid_t uid = 0;
    gid_t gid = 0;
    std::int64_t changed_ns = 0;  // of content or status: nobody can set it back
};

struct DirectoryEntry {
    std::string name;
    FileKind kind = FileKind::regular;
};

struct HashedFile {
    Digest digest;
    std::uint64_t size = 0;  // bytes

    friend bool operator==(const HashedFile&, const HashedFile&) = default;
};

// What becomes of the data blocks of a tree that is copied.
enum class Blocks {
    shared_if_possible,  // one copy of them for both trees where the filesystem can (reflink)
    shared,              // so, or an error
    copied,
};

// A mount to be made. It is the kernel's, not the disk's: after a restart it is gone.
struct OverlayMount {
    Path lower, upper, work;  // the last two empty directories of one filesystem at first
};

// When what is written in a tree is on stable storage: when the call returns, or after a later
// sync_tree. The latter is for trees that nobody counts on yet.
enum class Sync { now, later };

// Who a command runs as, or who a file belongs to.
struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
};

// One command, run to its end in a process group of its own, with no terminal. The environment is
// PATH, LC_ALL=C.UTF-8, HOME=/root and what stands here, nothing of ours.
struct Command {
    std::vector<std::string> argv{};  // argv[0] is looked up in PATH
    std::map<std::string, std::string> environment{};
    std::optional<Path> directory{};
    std::string input{};                              // its standard input
    std::function<void(std::string_view)> on_line{};  // each line of stdout and stderr as it comes
    std::optional<Path> log{};                        // where its output is appended, too
    std::optional<Owner> as{};                        // unset: as we are
    bool private_mounts = false;                      // in a mount namespace of its own
    // In a PID namespace of its own where we may make one: whatever it starts ends when it does,
    // and with us, however we end.
    bool own_processes = false;
    std::stop_token stop{};                            // asked to stop: SIGTERM, 5 s later SIGKILL
    std::optional<std::chrono::milliseconds> limit{};  // the same after this time
};

struct CommandOutcome {
    int exit_code = 0;   // 128 + signal when a signal ended it
    std::string output;  // stdout alone, the last `output_bytes_max` bytes of it
    std::string errors;  // stderr alone, likewise

    static constexpr std::size_t output_bytes_max = 1U << 20U;
};

// Held as long as the value lives.
class Lock {
public:
    virtual ~Lock() = default;
};

// Errors are sentences that name the path and the system's reason. Nothing here follows a symbolic
// link in the last part of a path unless it says so.
class Host {
public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    virtual ~Host() = default;

    static constexpr std::uint64_t read_bytes_max = 256U << 20U;

    // ---- looking

    // Nothing there is an answer, not an error.
    [[nodiscard]] virtual Result<std::optional<FileStatus>> status(const Path& path) = 0;
    // Follows links. Errors also for more than `bytes_max` and for what is no regular file.
    [[nodiscard]] virtual Result<std::string> read_file(
        const Path& path, std::uint64_t bytes_max = read_bytes_max
    ) = 0;
    [[nodiscard]] virtual Result<Path> read_link(const Path& path) = 0;
    // Sorted by name, without "." and "..".
    [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(const Path& directory) = 0;
    [[nodiscard]] virtual Result<HashedFile> hash_file(const Path& path) = 0;  // follows links
    // "ext4", "xfs", "btrfs"; of what is above it when nothing is there yet. Empty: not known.
    virtual std::string filesystem_of(const Path& path) = 0;

    // What can still be written there, in bytes, found likewise. None: not known.
    virtual std::optional<std::uint64_t> free_bytes(const Path& path) = 0;
    // What a file or a tree occupies, in bytes: names of one file count once, holes do not, other
    // filesystems mounted in it neither. Follows a link.
    [[nodiscard]] virtual Result<std::uint64_t> occupied_bytes(const Path& path) = 0;

    // ---- changing; each is on stable storage when it returns, unless it says otherwise

    // The whole file or none of it: written aside, synced, renamed.
    [[nodiscard]] virtual Result<void> write_file(
        const Path& path, std::string_view bytes, std::uint32_t mode = 0644
    ) = 0;
    // The bytes of `from` (followed) as the file `to`, which must not exist; the sum is of what was
    // written.
    [[nodiscard]] virtual Result<HashedFile> copy_file(
        const Path& from, const Path& to, std::uint32_t mode = 0644
    ) = 0;
    [[nodiscard]] virtual Result<void> make_directories(const Path& path) = 0;
    [[nodiscard]] virtual Result<void> rename(const Path& from, const Path& to) = 0;
    // `link` points to `target` from now on, without a moment in which it is missing.
    [[nodiscard]] virtual Result<void> replace_symlink(const Path& target, const Path& link) = 0;
    [[nodiscard]] virtual Result<void> hard_link(const Path& from, const Path& to) = 0;
    // A file, a tree or a subvolume; nothing there is fine. Never crosses into another filesystem.
    [[nodiscard]] virtual Result<void> remove_all(const Path& path) = 0;
    // `to` must not exist, or be an empty subvolume. Owners, modes, times, links, hard links,
    // devices, extended attributes arrive. Not synced: see sync_tree.
    [[nodiscard]] virtual Result<void> copy_tree(
        const Path& from,
        const Path& to,
        const std::stop_token& stop = {},
        Blocks blocks = Blocks::shared_if_possible
    ) = 0;
    // Everything below `path`, however it was written.
    [[nodiscard]] virtual Result<void> sync_tree(const Path& path) = 0;

    // ---- trees that are more than directories: subvolumes of btrfs, and mounts

    [[nodiscard]] virtual Result<bool> is_subvolume(const Path& path) = 0;
    [[nodiscard]] virtual Result<void> make_subvolume(const Path& path) = 0;
    // `to` is a writable snapshot of the subvolume `from`: no copy, whatever its size.
    [[nodiscard]] virtual Result<void> snapshot(const Path& from, const Path& to) = 0;
    // Why no overlay can be mounted with its upper side in `directory`; empty: it can, or whoever
    // asks may not try it and nothing speaks against it.
    virtual std::string overlay_problem(const Path& directory) = 0;
    // Where something is mounted, at `path` or below it; in the order in which it was mounted.
    [[nodiscard]] virtual Result<std::vector<Path>> mounts_below(const Path& path) = 0;
    // The directory as a mount of its own, so that nothing leads out of it by a file handle's
    // parent. `shared`: what is mounted below it later shows in other mount namespaces too.
    [[nodiscard]] virtual Result<void> mount_itself(const Path& path, bool shared) = 0;
    [[nodiscard]] virtual Result<void> mount_overlay(
        const OverlayMount& overlay, const Path& at
    ) = 0;
    // At once, also while it is in use; nothing mounted there is fine.
    [[nodiscard]] virtual Result<void> unmount(const Path& path) = 0;

    // ---- inside a tree that others write to. A board owns its root and may have put any link
    // anywhere: here `relative` is resolved as if `root` were "/", so nothing outside is touched.

    [[nodiscard]] virtual Result<std::optional<FileStatus>> status_in(
        const Path& root, const Path& relative
    ) = 0;
    [[nodiscard]] virtual Result<std::string> read_file_in(
        const Path& root, const Path& relative
    ) = 0;
    [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list_in(
        const Path& root, const Path& relative
    ) = 0;
    // Makes missing directories (0755, root); replaces what stands at `relative`, a link itself and
    // not what it points to.
    [[nodiscard]] virtual Result<void> write_file_in(
        const Path& root,
        const Path& relative,
        std::string_view bytes,
        std::uint32_t mode = 0644,
        Owner owner = {},
        Sync sync = Sync::now
    ) = 0;
    [[nodiscard]] virtual Result<void> make_directories_in(
        const Path& root,
        const Path& relative,
        std::uint32_t mode = 0755,
        Owner owner = {},
        Sync sync = Sync::now
    ) = 0;
    [[nodiscard]] virtual Result<void> symlink_in(
        const Path& root, const Path& relative, const Path& target, Sync sync = Sync::now
    ) = 0;
    [[nodiscard]] virtual Result<void> remove_in(const Path& root, const Path& relative) = 0;

    // ---- the rest

    // An error when the command could not be started or was stopped; a command that says no is an
    // outcome.
    [[nodiscard]] virtual Result<CommandOutcome> run(const Command& command) = 0;
    // Whether `program` can be found in the PATH that commands get.
    virtual bool has_program(std::string_view program) = 0;
    // An exclusive lock on the file, made when missing. Errors: someone else holds it.
    [[nodiscard]] virtual Result<std::unique_ptr<Lock>> lock(const Path& path) = 0;
    virtual std::chrono::system_clock::time_point now() = 0;
    [[nodiscard]] virtual Result<std::string> random_bytes(std::size_t count) = 0;
};

// Runs `command` and makes a non-zero exit an error that carries its last lines of output.
[[nodiscard]] Result<CommandOutcome> run_or_fail(Host& host, const Command& command);

}  // namespace bramble::host
