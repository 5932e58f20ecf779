// Boards of a generation that boot over the wire, against the server that runs: each with a network
// namespace of its own. It refuses to print.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "services/rehearsal/report.hpp"
#include "services/virtual_board/profile.hpp"

namespace bramble::program {

struct WireRehearsal {
    static constexpr std::size_t at_once_max = 32;
    static constexpr std::chrono::minutes patience{5};  // with one board, in the queue too

    std::string interface;                           // of the boards' wire
    std::string board;                               // empty: all
    std::optional<virtual_board::Profile> firmware;  // unset: the usual one of each model
    // Told of each step, from any thread, one at a time.
    std::function<void(const std::string& board, const std::string& text)> on_step;
};

// Reports in the manifest's order; each file is held against the manifest, the root is mounted and
// looked at from the board's side, and the server gets its report: it tells of a boot like any
// other. Of generic boards nothing is told: their boot loaders are their own. Errors: no such
// board; what stands in the way of a namespace or of the wire is that board's finding.
[[nodiscard]] Result<std::vector<rehearsal::Report>> rehearse_over_wire(
    const layout::Manifest& manifest, const WireRehearsal& wanted
);

}  // namespace bramble::program
