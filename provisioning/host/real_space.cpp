#include <fts.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <memory>
#include <set>
#include <utility>

#include "provisioning/host/posix.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::host {
namespace {

using namespace posix;

constexpr std::uint64_t block_bytes = 512;  // of st_blocks, whatever the filesystem's are

}  // namespace

std::optional<std::uint64_t> RealHost::free_bytes(const Path& path) {
    struct statvfs about {};

    for (Path at = path; ::statvfs(at.c_str(), &about) != 0; at = at.parent_path()) {
        if (errno != ENOENT || at == at.parent_path()) return std::nullopt;
    }
    return about.f_bavail * about.f_frsize;
}

Result<std::uint64_t> RealHost::occupied_bytes(const Path& path) {
    std::string top = path.string();
    const std::array<char*, 2> tops = {top.data(), nullptr};
    const std::unique_ptr<FTS, decltype(&::fts_close)> walk(
        ::fts_open(tops.data(), FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, nullptr),
        &::fts_close
    );
    if (!walk) return failure("look at", path);
    std::uint64_t bytes = 0;
    std::set<std::pair<dev_t, ino_t>> counted;  // files with several names
    while (const FTSENT* entry = ::fts_read(walk.get())) {
        if (entry->fts_info == FTS_DP) continue;
        if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS) {
            errno = entry->fts_errno;
            return failure("look at", entry->fts_path);
        }
        const struct stat& found = *entry->fts_statp;
        const bool several = !S_ISDIR(found.st_mode) && found.st_nlink > 1;
        if (several && !counted.emplace(found.st_dev, found.st_ino).second) continue;
        bytes += static_cast<std::uint64_t>(found.st_blocks) * block_bytes;
    }
    return bytes;
}

}  // namespace bramble::host
