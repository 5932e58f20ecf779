// A board and its boots as an operator reads them on a terminal of 80 columns, from what serve's
// API answered. It refuses to know where the answer came from.
#pragma once

#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble::program {

// The fleet as a table, and who asked without being in it: GET /api/v1/boards.
[[nodiscard]] Result<std::string> render_boards(std::string_view boards);

// One board: who it is, its latest boot with its waterfall, its diagnosis, its earlier boots:
// GET /api/v1/boards/NAME.
[[nodiscard]] Result<std::string> render_board(std::string_view board);

// What happened in a boot, in the order in which it happened: GET /api/v1/boards/NAME/boots/N.
[[nodiscard]] Result<std::string> render_boot_log(std::string_view boot);

}  // namespace bramble::program
