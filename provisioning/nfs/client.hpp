// One NFS export seen the way a board sees it: mounted over the wire, read file by file. The only
// user of libnfs; it refuses to know why anyone looks.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::nfs {

struct MountOptions {
    unsigned version = 3;                     // 3 or 4 (4.0: what libnfs speaks)
    std::uint16_t port = 2049;                // 0: ask the portmapper (version 3)
    std::uint16_t mount_port = 0;             // of version 3's MOUNT service; 0: ask the portmapper
    std::chrono::milliseconds timeout{5000};  // of each call
    bool beside_others = false;               // this process has other mounts at the same time
};

enum class EntryKind { file, directory, symlink, other };

struct Attributes {
    EntryKind kind = EntryKind::other;
    std::uint64_t size = 0;  // bytes
    std::uint32_t mode = 0;  // permission bits: 07777
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

// What the server lets whoever asks do with an entry (RFC 1813 section 3.3.4).
struct Access {
    bool read = false;
    bool execute = false;
};

// What the filesystem of an export has, and what is left for whoever asks.
struct Room {
    std::uint64_t bytes = 0;
    std::uint64_t bytes_free = 0;
    std::uint64_t files = 0;  // 0: it does not count them
    std::uint64_t files_free = 0;
};

// A mounted export. Paths are absolute within it; errors name server, export and path and carry the
// server's reason. Not for use from two threads at once.
class Client {
public:
    // Errors: no server, a refusal (the export is missing, or is not for this address).
    [[nodiscard]] static Result<Client> mount(
        const std::string& server, const std::string& path, const MountOptions& options = {}
    );

    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    ~Client();

    // Of the entry itself where it is a symbolic link.
    [[nodiscard]] Result<Attributes> status(const std::string& path);
    // The first `bytes_max` bytes. Links are not followed: their targets are the board's business.
    [[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t bytes_max);
    [[nodiscard]] Result<std::string> read_link(const std::string& path);
    // Names, sorted, without "." and "..".
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path);
    [[nodiscard]] Result<Access> access(const std::string& path);
    [[nodiscard]] Result<Room> room();

private:
    struct Context;

    explicit Client(std::unique_ptr<Context> context);

    std::unique_ptr<Context> context_;
};

}  // namespace bramble::nfs
