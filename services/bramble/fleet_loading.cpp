#include "services/bramble/fleet_loading.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/yaml/load.hpp"

namespace bramble::program {

Result<LoadedFleet> load_fleet(const std::filesystem::path& file) {
    yaml::DiskFiles files;
    yaml::LoadResult loaded = yaml::load(file, files);
    std::string text = yaml::render(loaded.diagnostics);
    if (loaded.fleet) return LoadedFleet{std::move(*loaded.fleet), std::move(text)};
    const auto errors = std::count_if(
        loaded.diagnostics.begin(),
        loaded.diagnostics.end(),
        [](const yaml::Diagnostic& d) { return d.severity == yaml::Severity::error; }
    );
    return fail(
        fmt::format("{} has {} problem{}:\n{}", file.string(), errors, errors == 1 ? "" : "s", text)
    );
}

Result<LoadedFleet> load_fleet_with_enrolled(const std::filesystem::path& file) {
    return load_fleet(file);
}

std::size_t merge_enrolled(fleet::Fleet& fleet, std::span<const EnrolledBoard> boards) {
    std::size_t added = 0;
    for (const EnrolledBoard& enrolled : boards) {
        const bool known = std::any_of(
            fleet.boards.begin(),
            fleet.boards.end(),
            [&enrolled](const fleet::Board& board) {
                return board.name == enrolled.name ||
                       (board.serial && board.serial == enrolled.serial) ||
                       (board.mac && board.mac == enrolled.mac);
            }
        );
        if (known || fleet.find_profile(enrolled.profile) == nullptr) continue;
        fleet::Board board;
        board.name = enrolled.name;
        board.serial = enrolled.serial;
        board.mac = enrolled.mac;
        board.profile = enrolled.profile;
        fleet.boards.push_back(std::move(board));
        ++added;
    }
    return added;
}

}  // namespace bramble::program
