// How subcommands rehearse a generation, published or not. It refuses to print.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "services/rehearsal/report.hpp"
#include "services/virtual_board/profile.hpp"

namespace bramble::program {

struct RehearsalOptions {
    std::string board;                               // empty: all
    std::optional<virtual_board::Profile> firmware;  // unset: the usual one of each model
    // Told after each board: how many are done, of how many.
    std::function<void(std::size_t done, std::size_t of)> on_progress;
};

// Reports in the manifest's order. Errors: no such board.
[[nodiscard]] Result<std::vector<rehearsal::Report>> rehearse_generation(
    const fleet::Fleet& fleet, const layout::Manifest& manifest, const RehearsalOptions& options
);

}  // namespace bramble::program
