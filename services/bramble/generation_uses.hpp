// Who holds on to which generation, as the state of `serve` tells it. It refuses to decide what may
// go.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/plan/generations_text.hpp"

namespace bramble::program {

using GenerationUses = std::map<std::uint64_t, plan::GenerationUse>;

// Boots that are under way, of any board; of the fleet's boards also the last one that ended, since
// a board runs from it until it boots again; and what is served. A store without state has none.
// Errors: state that cannot be read, so that nobody knows.
[[nodiscard]] Result<GenerationUses> read_generation_uses(
    const fleet::Fleet& fleet, const layout::StorePaths& store
);

}  // namespace bramble::program
