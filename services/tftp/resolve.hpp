// From the path in a request to the file that this board, and no other, is served: prefixes,
// doubled slashes, refusals (fact sheet 2.3 and 2.4). It refuses to touch a disk: a path is a key,
// never a file name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"

namespace bramble::tftp {

inline constexpr std::size_t requested_path_max = 255;

// The path as a board's tree would write it: leading slashes taken off, repeated ones collapsed
// (Pi 5 asks for "7bf18f79//config.txt"). Errors: empty or longer than 255 octets; a backslash; a
// control character; a "." or ".." part; a percent-escape, which nobody decodes here.
[[nodiscard]] Result<std::string> normalize_path(std::string_view requested);

// Whether a request whose source address belongs to no board may say who it is by its prefix: true
// where somebody else leases the addresses (proxy mode, static addresses in the EEPROM).
enum class TrustPrefix { no, yes };

struct Found {
    const layout::BoardEntry* board = nullptr;
    const layout::BootFile* file = nullptr;
    std::string path;  // in the board's tree
};

struct Absent {
    const layout::BoardEntry* board = nullptr;
    std::string path;
};

struct Denied {
    const layout::BoardEntry* board = nullptr;  // who asked; nullptr: not known
    std::string path;                           // as far as it could be read
    std::string reason;
};

using Lookup = std::variant<Found, Absent, Denied>;

// The paths of one generation. Borrows the manifest, which must outlive it and not change.
class PathIndex {
public:
    explicit PathIndex(const layout::Manifest& manifest);

    // `asking` is the board that has the request's source address; nullptr: none has.
    //  - The prefix of its own (serial, MAC with dashes, string) is taken off; the file is then
    //    looked for in its tree and nowhere else.
    //  - The prefix of another board is denied, whatever stands behind it.
    //  - Without a prefix the path is looked for in its own tree: a board drops its prefix when it
    //    found no start file there, and generic clients never have one.
    Lookup resolve(const layout::BoardEntry* asking, std::string_view requested, TrustPrefix trust)
        const;

private:
    struct Split {
        std::string_view rest;                                           // behind the prefix
        const std::vector<const layout::BoardEntry*>* owners = nullptr;  // nullptr: no prefix
    };

    Split split(std::string_view path) const;

    const layout::Manifest& manifest_;
    std::size_t prefix_parts_max_ = 1;  // slashes in the longest string prefix
    std::unordered_map<std::string, std::vector<const layout::BoardEntry*>> by_prefix_;
};

}  // namespace bramble::tftp
