// One board's root, looked at and acted upon by itself: what it changed, a fresh start, an archive
// of it, an image made of it. It refuses to know whether the board runs: who asks knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/apply/apply.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/host/tree_archive.hpp"
#include "provisioning/host/tree_difference.hpp"

namespace bramble::apply {

// The root that the current generation gives a board.
struct BoardRootPlace {
    std::string base;  // name of its base root
    host::Path tree;
    host::Path base_tree;
    fleet::CopyOnWrite kind = fleet::CopyOnWrite::copy;
    host::Path upper;  // of an overlay
};

struct RootFailure {
    std::string message;
    bool refused = false;  // the answer is no; else the machine failed
};

// Errors: nothing is published, no such board, it has no root here, it is not mounted.
[[nodiscard]] Result<BoardRootPlace, RootFailure> find_board_root(
    const layout::StorePaths& paths, std::string_view board, host::Host& host
);

// What the board has otherwise than its base; `every_byte` also reads files of same size and time.
[[nodiscard]] Result<std::vector<host::TreeChange>> changes_of(
    const BoardRootPlace& place, bool every_byte
);

// Throws away what the board wrote: its root is made again of the same base, with its identity.
// Killed anywhere, the next apply finishes it. Refused where an apply is due: that comes first.
[[nodiscard]] Result<void, RootFailure> reset_board_root(
    const fleet::Fleet& fleet, std::string_view board, const Options& options, host::Host& host
);

// All of the root in one archive.
[[nodiscard]] Result<host::ArchiveReport> archive_board_root(
    const BoardRootPlace& place, const host::Path& file, const std::stop_token& stop
);

// The root, without what no other board may have, and the boot files of its image as an archive
// that an image's `source: {file: …}` can name.
[[nodiscard]] Result<host::ArchiveReport> promote_board_root(
    const layout::StorePaths& paths,
    const BoardRootPlace& place,
    const host::Path& file,
    host::Host& host,
    const std::stop_token& stop
);

}  // namespace bramble::apply
