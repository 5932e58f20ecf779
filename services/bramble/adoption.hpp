// The file of one adopted board, boards.d/NAME.yaml: what is written, whether the fleet would be
// sound with it, and whether it may be removed. It refuses to write and to remove anything.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/fleet/fleet.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"
#include "config/types/serial.hpp"
#include "config/yaml/files.hpp"

namespace bramble::program {

struct NewBoard {
    std::string name;
    Serial serial;
    std::string profile;
    std::optional<MacAddress> mac;
    std::optional<Ipv4Address> address;
};

// Where adopted boards lie: beside the fleet file.
std::filesystem::path adopted_directory(const std::filesystem::path& fleet_file);
std::filesystem::path adopted_file(const std::filesystem::path& fleet_file, std::string_view name);

// It begins with the line by which removable_file() knows that no person wrote it.
std::string adopted_text(const NewBoard& board);

// What the fleet would be with the board's file beside it, its directory made if need be. Errors:
// every problem with its line, as `check` prints them; the fleet file does not include the
// directory.
[[nodiscard]] Result<fleet::Fleet> fleet_with(
    const std::filesystem::path& fleet_file, const NewBoard& board, yaml::FileReader& files
);

// The file to remove so that the board is gone and nothing else. Errors: it stands elsewhere, with
// file and line; the file holds more than it.
[[nodiscard]] Result<std::filesystem::path> removable_file(
    const fleet::Fleet& fleet, const fleet::Board& board, const std::filesystem::path& fleet_file
);

}  // namespace bramble::program
