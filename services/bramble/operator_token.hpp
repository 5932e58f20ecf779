// The operator's token: where it lies, that nobody else can read it, and how it is made. It refuses
// to say it anywhere but to its caller.
#pragma once

#include <filesystem>
#include <string>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"

namespace bramble::program {

inline constexpr std::size_t token_bytes_min = 16;  // fewer could be guessed

// The fleet file's admin: {token_file: …}, else one in the store.
std::filesystem::path operator_token_file(const fleet::Appliance& appliance);

// Its first line. Errors: there is none, others may read it, it is too short to be one.
[[nodiscard]] Result<std::string> read_token(const std::filesystem::path& file);

// The same, made if there is none yet. Errors: as above; in the store it has to be our own, since
// others may make files there.
[[nodiscard]] Result<std::string> read_or_make_operator_token(const fleet::Appliance& appliance);

}  // namespace bramble::program
