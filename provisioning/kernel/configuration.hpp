// The options of a kernel as text: a .config or a fragment of one, read into names and values, and
// what was asked for held against what came of it. It refuses to know files and where options
// depend on each other.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::kernel {

inline constexpr std::size_t options_max = 50'000;  // Linux 6.1 has 18,000

// Names without CONFIG_; values as the file has them: y, m, n, a number, a text with its quotes.
// What a file says "is not set" is n.
using Options = std::map<std::string, std::string, std::less<>>;

// Errors name the line: neither a comment nor NAME=VALUE, a name or value of other characters, more
// than `options_max`. A name that comes twice has its later value, as kconfig has it.
[[nodiscard]] Result<Options> parse_configuration(std::string_view text);

// What make takes: CONFIG_NAME=VALUE lines, "is not set" for n.
std::string write_configuration(const Options& options);

// n for what is not there.
std::string_view value_of(const Options& options, std::string_view name);

// A value of the fleet file as a .config has it: y, m, n and numbers as they are, the rest in
// quotes.
std::string written_value(std::string_view value);

// One option that somebody asked for.
struct Asked {
    std::string value;
    std::string by;  // "preset verity", "options"

    friend bool operator==(const Asked&, const Asked&) = default;
};

using Asking = std::map<std::string, Asked, std::less<>>;

struct Lost {
    std::string name;
    Asked asked;
    std::string is;  // what the final configuration has

    friend bool operator==(const Lost&, const Lost&) = default;
};

// All that was asked for and is otherwise, by name. 0x10 and 16 are the same.
std::vector<Lost> lost(const Asking& asking, const Options& final);

// What a board needs of a kernel that finds its root by itself, read from its configuration.
struct RootAbilities {
    bool mounts_root = false;            // ROOT_NFS and IP_PNP: needs no initramfs
    std::set<std::string> nfs_versions;  // 3, 4, 4.1, 4.2: built in or as modules
};

RootAbilities root_abilities(const Options& options);

}  // namespace bramble::kernel
