// The API's answers as a person reads them in a terminal. It refuses to know where they came from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble::program {

// Generation, reload failure, a table of boards, and who asked without being in the fleet, of what
// /api/v1/status and /api/v1/boards answered. Errors: not the API's JSON.
[[nodiscard]] Result<std::string> render_status(std::string_view server, std::string_view boards);

// Both in one object: the server's, with its counts as `counts`, and `boards`, each with a `phase`
// that is "up" when it is up, and `strangers`.
[[nodiscard]] Result<std::string> merge_status(std::string_view server, std::string_view boards);

// What of `text` a terminal of this size shows: long lines are cut, and of too many the last ones
// are counted.
std::string fit_screen(std::string_view text, std::size_t rows, std::size_t columns);

}  // namespace bramble::program
