// The API's status as a person reads it in a terminal. It refuses to know where it came from.
#pragma once

#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble::program {

// Generation, reload failure and a table of boards. Errors: not the API's JSON.
[[nodiscard]] Result<std::string> render_status(std::string_view json);

}  // namespace bramble::program
