#include "services/bramble/fleet_loading.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/layout/store_paths.hpp"
#include "config/yaml/load.hpp"

namespace bramble::program {

Result<LoadedFleet, LoadFailure> load_fleet(const std::filesystem::path& file) {
    yaml::DiskFiles files;
    yaml::LoadResult loaded = yaml::load(file, files);
    if (loaded.fleet) {
        return LoadedFleet{std::move(*loaded.fleet), yaml::render(loaded.diagnostics)};
    }
    // Warnings would only stand in the way of what has to be mended.
    std::erase_if(loaded.diagnostics, [](const yaml::Diagnostic& diagnostic) {
        return diagnostic.severity != yaml::Severity::error;
    });
    const std::size_t errors = loaded.diagnostics.size();
    LoadFailure failure;
    failure.message = fmt::format(
        "{} has {} problem{}:\n{}",
        file.string(),
        errors,
        errors == 1 ? "" : "s",
        yaml::render(loaded.diagnostics)
    );
    for (const yaml::Diagnostic& diagnostic : loaded.diagnostics) {
        failure.lines.push_back(fmt::format(
            "{}:{}:{}: {}", diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.message
        ));
    }
    return tl::unexpected(std::move(failure));
}

Result<LoadedFleet, LoadFailure> load_fleet_with_enrolled(const std::filesystem::path& file) {
    auto loaded = load_fleet(file);
    if (!loaded) return loaded;
    const auto database = layout::StorePaths(loaded->fleet.appliance.store).state_db();
    std::error_code ignored;
    if (!std::filesystem::exists(database, ignored)) return loaded;
    auto state = state::Store::open(database);
    auto enrolled = state ? state->adopted() : tl::unexpected(state.error());
    if (enrolled) {
        merge_enrolled(loaded->fleet, enrolled->values);
    } else {
        loaded->warnings +=
            fmt::format("warning: enrolled boards are left out: {}\n", enrolled.error().message);
    }
    return loaded;
}

std::size_t merge_enrolled(fleet::Fleet& fleet, std::span<const state::AdoptedBoard> boards) {
    std::size_t added = 0;
    for (const state::AdoptedBoard& enrolled : boards) {
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
