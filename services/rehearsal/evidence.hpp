// The seam between a rehearsal and the store: bytes of objects, what an initramfs holds, a root to
// look into. It refuses to know whether a root is looked at over NFS or on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "services/rehearsal/report.hpp"
#include "services/tftp/transfer.hpp"

namespace bramble::rehearsal {

enum class EntryKind { file, directory, symlink, other };

struct RootEntry {
    EntryKind kind = EntryKind::other;
    std::uint32_t mode = 0;  // permission bits
};

// A root as the board would see it. Paths are absolute, without links in their middle: whoever asks
// follows links himself, as the board would. Nothing there is an answer of status().
class RootTree {
public:
    virtual ~RootTree() = default;
    virtual std::string how() const = 0;  // "mounted by NFS 3 from 172.16.1.1"
    [[nodiscard]] virtual Result<std::optional<RootEntry>> status(const std::string& path) = 0;
    [[nodiscard]] virtual Result<std::string> read_link(const std::string& path) = 0;
    [[nodiscard]] virtual Result<std::string> read_file(const std::string& path) = 0;
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
};

struct InitramfsFacts {
    bool has_init = false;
    bool mounts_by_klibc = false;  // nfsmount of klibc: versions 2 and 3, no proto=
};

class Evidence {
public:
    virtual ~Evidence() = default;

    // Errors: the object is missing or has another size than its manifest says.
    [[nodiscard]] virtual Result<std::shared_ptr<const tftp::Content>> open(
        const layout::ObjectFile& object
    ) = 0;
    // The bytes of a kernel that may be compressed as a whole. Errors: damaged data.
    [[nodiscard]] virtual Result<std::string> unpacked(const tftp::Content& kernel) = 0;
    // Errors: it cannot be unpacked to its end.
    [[nodiscard]] virtual Result<InitramfsFacts> initramfs(const tftp::Content& archive) = 0;
    // Errors: the mount is refused, the directory is not there.
    [[nodiscard]] virtual Result<std::unique_ptr<RootTree>> mount(const RootWanted& wanted) = 0;
};

}  // namespace bramble::rehearsal
