// Published generations as the services read them from the store. It refuses to write anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/layout/manifest.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "services/io/catalog.hpp"

namespace bramble::program {

// The generation that `current` points to; nullptr when nothing is published yet. Errors: a link
// that leads nowhere, a manifest that cannot be read or is not sound, one of another number.
[[nodiscard]] Result<io::GenerationPtr> load_current_generation(const layout::StorePaths& store);

// Its number alone, read from the link; nothing when nothing is published yet.
[[nodiscard]] Result<std::optional<std::uint64_t>> current_generation_number(
    const layout::StorePaths& store
);

// Generation `number`, published or not any more. Errors: it is not there, or not sound.
[[nodiscard]] Result<io::GenerationPtr> load_generation(
    const layout::StorePaths& store, std::uint64_t number
);

// That it has no such board, with the nearest name that it has.
std::string unknown_board(const std::string& name, const layout::Manifest& manifest);

}  // namespace bramble::program
