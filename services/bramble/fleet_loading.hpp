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

namespace bramble::program {

// A board that asked to be enrolled (appliance.unknown_boards) or was adopted by an operator.
struct EnrolledBoard {
    std::string name;
    std::optional<Serial> serial;
    std::optional<MacAddress> mac;
    std::string profile;
};

struct LoadedFleet {
    fleet::Fleet fleet;
    std::string warnings;  // rendered, empty when there are none
};

// Errors: every diagnostic, rendered.
[[nodiscard]] Result<LoadedFleet> load_fleet(const std::filesystem::path& file);

// load_fleet, and the enrolled boards of the store's state merged into it. A store without state
// has none.
[[nodiscard]] Result<LoadedFleet> load_fleet_with_enrolled(const std::filesystem::path& file);

// Adds those whose serial, MAC and name the fleet does not have yet and whose profile it does; the
// fleet file wins. Answers how many were added.
std::size_t merge_enrolled(fleet::Fleet& fleet, std::span<const EnrolledBoard> boards);

}  // namespace bramble::program
