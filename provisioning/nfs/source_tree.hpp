// A root tree of this machine as the list of what has to be made elsewhere: every entry with owner,
// mode, times, links. It refuses to know where it goes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::nfs {

struct Time {
    std::int64_t s = 0;
    std::uint32_t ns = 0;

    friend bool operator==(const Time&, const Time&) = default;
};

struct SourceEntry {
    std::uint32_t parent = 0;  // index of its directory; the first entry is the tree itself
    std::string name;          // any bytes but '/' and NUL
    mode_t mode = 0;           // with its kind
    uid_t uid = 0;
    gid_t gid = 0;
    std::uint64_t size = 0;
    dev_t device = 0;
    Time modified;
    std::optional<std::uint32_t> same_as{};  // another name of that earlier file
    bool has_more_names = false;
    std::string target{};  // of a symbolic link
};

// What NFS version 3 has no place for.
struct NotHeld {
    std::size_t entries = 0;         // with any of it
    std::size_t capabilities = 0;    // of these, with file capabilities
    std::size_t access_lists = 0;    // with POSIX ACLs
    std::vector<std::string> names;  // the first few

    static constexpr std::size_t names_max = 3;
};

struct SourceTree {
    static constexpr std::size_t entries_max = 8'000'000;

    std::filesystem::path root;
    std::vector<SourceEntry> entries;  // a directory stands before what it holds
    std::uint64_t bytes = 0;           // of files
    NotHeld not_held;

    std::filesystem::path path_of(std::uint32_t index) const;
};

// Errors: the machine's, with the path.
[[nodiscard]] Result<SourceTree> read_source_tree(const std::filesystem::path& root);

// "12 files have what NFS version 3 cannot hold (4 of them file capabilities): usr/bin/ping, …";
// empty: nothing is lost.
std::string describe(const NotHeld& lost);

}  // namespace bramble::nfs
