// An image's source turned into a directory of boot files and a root tree, ready to be moved into
// the store. It refuses to know keys, generations and boards.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/types/digest.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

using host::Path;

// Where an ingest may work and whom it tells about it.
struct Workshop {
    host::Host& host;
    Path staging;    // exists and is empty; on the store's filesystem; removed by the caller
    Path log;        // what commands print is appended here
    Path downloads;  // exists; outlives a run that failed, so that the next one goes on
    std::function<void(std::string_view)> progress;  // one short line each; may be empty
    std::stop_token stop;
};

struct Ingested {
    std::optional<Path> boot;    // regular files below it become boot files; none: no boot files
    std::optional<Path> root;    // below `staging`: it is renamed into the store; none: no root
    std::string kernel_release;  // `uname -r` of its kernel; empty: not known
    // Whether its initramfs can mount NFS 4.x; klibc's, which Raspberry Pi OS has, cannot (fact
    // sheet 7.2).
    bool initramfs_mounts_nfs4 = false;
    std::string release{};                 // of Raspberry Pi OS, in words; empty: another system
    std::vector<std::string> taken_out{};  // of its first-boot machinery, in words
};

// Errors name the image and the line of the fleet file that asks for it.
[[nodiscard]] Result<Ingested> ingest(
    const fleet::Fleet& fleet, const fleet::Image& image, const Workshop& workshop
);

// The digest of all that decides what `ingest` makes of the image: of directories every entry's
// path, kind, size, time, mode and owner; of archives path, size and time, of those behind a URL
// the URL and sha256; of a Debian suite its settings and the recipe's version. Errors name the
// image: a source that is missing or that this version does not read.
[[nodiscard]] Result<Digest> source_key(const fleet::Image& image, host::Host& host);

}  // namespace bramble::image
