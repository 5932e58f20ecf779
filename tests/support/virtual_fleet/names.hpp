// What the runner is told of a board, and what it has to say of its boot. It refuses to know
// namespaces and sockets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"
#include "services/wire_board/board_report.hpp"

namespace bramble::virtual_fleet {

using wire_board::BoardName;
using wire_board::BoardReport;

// "NAME,SERIAL,MAC[,PROFILE]", profile pi4-2023 unless said. Errors: anything else.
[[nodiscard]] Result<BoardName> parse_board(std::string_view text);

// A JSON array of objects with the fields above.
std::string to_json(const std::vector<BoardReport>& reports);

}  // namespace bramble::virtual_fleet
