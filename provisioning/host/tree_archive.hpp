// Trees into archives and out of other trees, whole: owners, modes, times, links, hard links,
// devices, holes, extended attributes, ACLs. It refuses to know whose trees they are, and trusts no
// link in them: each is read and written by a thread whose "/" it is.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::host {

struct ArchiveWish {
    Path tree;
    std::string prefix;  // "root/" before each of its names; empty: none
    // Paths of the tree, like "etc/machine-id", that do not belong into the archive; with all below
    // them. Unset: all do.
    std::function<bool(std::string_view path)> leave_out;
    std::vector<std::pair<std::string, Path>> files;  // names in the archive, and what they hold
    std::stop_token stop;
};

struct ArchiveReport {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;            // of files, before compression
    std::vector<std::string> left_out;  // what the format cannot hold (sockets), with the reason
};

// A pax archive packed by zstd, readable by its owner alone. It is there whole or not at all.
// Errors: `file` exists; the disk; it was stopped.
[[nodiscard]] Result<ArchiveReport> write_archive(const ArchiveWish& wish, const Path& file);

// What stands at `relative` in `from` takes the place of what stands there in `to`. False: there is
// nothing, and `to` stays as it is.
[[nodiscard]] Result<bool> carry_over(
    Host& host,
    const Path& from,
    const Path& to,
    const Path& relative,
    const std::stop_token& stop = {}
);

}  // namespace bramble::host
