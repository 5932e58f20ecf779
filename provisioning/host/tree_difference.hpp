// In which entries one tree differs from another that it was made of. It refuses to know whose
// trees they are, and follows no link in them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::host {

enum class Change {
    added,
    removed,   // with all below it
    replaced,  // by an entry of another kind
    content,   // bytes of a file, target of a link, number of a device
    metadata,  // mode, owner, time of a file, extended attributes
};

std::string_view to_string(Change change);

struct TreeChange {
    std::string path;  // "etc/motd"
    Change change = Change::content;
    FileKind kind = FileKind::regular;  // of the tree's entry; of the base's when it is removed
    std::uint64_t size = 0;             // of a file, likewise

    friend bool operator==(const TreeChange&, const TreeChange&) = default;
};

struct DifferenceWish {
    Path base;
    Path tree;
    // Of a tree that is an overlay over `base`: its upper directory. Only what stands there is
    // looked at, whiteouts included.
    std::optional<Path> upper;
    // Reads files of the same size and time, too; else these count as the same, as for rsync.
    bool every_byte = false;
};

inline constexpr int difference_depth_max = 256;

// In the order of their paths. Errors: the disk, a tree that is nested deeper than the bound.
[[nodiscard]] Result<std::vector<TreeChange>> tree_difference(const DifferenceWish& wish);

}  // namespace bramble::host
