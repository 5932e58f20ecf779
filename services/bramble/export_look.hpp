// The exports of the current generation, each mounted through libnfs and looked into as its board
// would, many at a time. It refuses to print.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "services/rehearsal/report.hpp"

namespace bramble::program {

struct ExportLookOptions {
    std::vector<std::string> boards;  // empty: all
    // Told after each export, from whichever thread: how many are done, of how many.
    std::function<void(std::size_t done, std::size_t of)> on_progress;
};

// As many mounts at a time; more gain nothing, and servers count connections.
inline constexpr std::size_t export_looks_max = 16;

struct ExportLooks {
    std::vector<rehearsal::Report> reports;   // of boards that mount a root, in their order
    std::vector<std::string> without_root{};  // names of those that do not
};

// Each board's kernel and command line are found as a rehearsal finds them: what stops its boot
// before that is the rehearsal's to tell. Errors: no such board.
[[nodiscard]] Result<ExportLooks> look_at_exports(
    const fleet::Fleet& fleet, const layout::Manifest& manifest, const ExportLookOptions& options
);

}  // namespace bramble::program
