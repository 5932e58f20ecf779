// The fleet as the program works with it: the fleet file, and the boards that were enrolled since.
// It refuses to decide what is done when the file is broken.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"
#include "services/state/store.hpp"

namespace bramble::program {

struct LoadedFleet {
    fleet::Fleet fleet;
    std::string warnings;  // rendered, empty when there are none
};

// Why there is no fleet.
struct LoadFailure {
    std::string message;             // for people: every error with its line and a caret
    std::vector<std::string> lines;  // for a log: one for each error
};

[[nodiscard]] Result<LoadedFleet, LoadFailure> load_fleet(const std::filesystem::path& file);

// load_fleet, and the boards that the store's state has enrolled. A store without state has none;
// state that cannot be read is a warning.
[[nodiscard]] Result<LoadedFleet, LoadFailure> load_fleet_with_enrolled(
    const std::filesystem::path& file
);

// Adds those whose serial, MAC and name the fleet does not have yet and whose profile it does; the
// fleet file wins. Answers how many were added.
std::size_t merge_enrolled(fleet::Fleet& fleet, std::span<const state::AdoptedBoard> boards);

}  // namespace bramble::program
