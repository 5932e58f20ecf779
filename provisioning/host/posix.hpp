// Small owners and sentences for system calls, shared by the files of the real host. It refuses to
// know what is read or written.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::host::posix {

class Fd {
public:
    Fd() = default;

    explicit Fd(int number) : number_(number) {}

    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

    Fd& operator=(Fd&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    ~Fd() { reset(); }

    void reset() {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }

    int get() const { return number_; }

    int release() { return std::exchange(number_, -1); }

    explicit operator bool() const { return number_ >= 0; }

private:
    int number_ = -1;
};

// "cannot write '/srv/x': No space left on device", from errno as it stands.
[[nodiscard]] tl::unexpected<Error> failure(std::string_view doing, const Path& path);

[[nodiscard]] Result<Fd> open_directory(const Path& path);

// The directory that `path` stands in.
Path parent_of(const Path& path);

// Nothing for Sync::later.
[[nodiscard]] Result<void> sync(const Fd& fd, const Path& path, Sync when = Sync::now);
[[nodiscard]] Result<void> write_all(const Fd& fd, std::string_view bytes, const Path& path);

// The bytes of an open regular file.
[[nodiscard]] Result<std::string> read_all(const Fd& fd, const Path& path, std::uint64_t bytes_max);

struct NewFile {
    std::string_view bytes;
    std::uint32_t mode = 0644;
    std::optional<Owner> owner;  // unset: ours
    Sync sync = Sync::now;
};

// A new file `name` in `directory`: written aside, synced, renamed over what stood there. `path` is
// for messages.
[[nodiscard]] Result<void> write_at(
    const Fd& directory, const std::string& name, const NewFile& file, const Path& path
);
[[nodiscard]] Result<void> symlink_at(
    const Fd& directory,
    const std::string& name,
    const Path& target,
    const Path& path,
    Sync when = Sync::now
);
[[nodiscard]] Result<std::optional<FileStatus>> status_at(
    const Fd& directory, const std::string& name, const Path& path
);
// Deletes `path` when it is a btrfs subvolume; false and nothing done when it is none or cannot be.
bool remove_subvolume(const Path& path);
[[nodiscard]] Result<std::vector<DirectoryEntry>> list_fd(Fd directory, const Path& path);

}  // namespace bramble::host::posix
