// What a display on the wall may show: states of boards by name, counts, how far a boot has come.
// It refuses to tell serials, MACs, addresses, files, diagnoses and anything typed by people.
#pragma once

#include <span>
#include <string>

#include "services/web/view.hpp"

namespace bramble::web {

// GET /api/v1/status and /api/v1/boards on the public listener, in the shapes of the full ones.
std::string public_status_json(const View& view);
std::string public_boards_json(const View& view);
std::string public_rows_json(const View& view, std::span<const std::string> names);

}  // namespace bramble::web
