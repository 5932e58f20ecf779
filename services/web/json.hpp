// The JSON API's documents. They refuse to know HTTP. Instants are RFC 3339 in UTC, spans are
// seconds, sizes are bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/types/time_point.hpp"
#include "services/web/view.hpp"

namespace bramble::web {

// GET /api/v1/status. Of the boards that wait for the link, the first `queue_max`.
std::string status_json(const View& view, std::size_t queue_max = SIZE_MAX);

// GET /api/v1/boards: every board of the fleet in its order, and those that asked without being in
// it.
std::string boards_json(const View& view);

// The same rows for some boards, and the strangers alone: what changed since somebody looked.
std::string rows_json(const View& view, std::span<const std::string> names);
std::string strangers_json(const View& view);

// GET /api/v1/boards/NAME: with its boot's phases and files, and its history. None: no such board.
std::optional<std::string> board_json(const View& view, std::string_view name);

// GET /api/v1/boards/NAME/boots/NUMBER: a whole boot; 0 is the latest, 1 the one before. None: no
// such board, no such boot.
std::optional<std::string> boot_json(const View& view, std::string_view name, std::size_t number);

// GET /api/v1/boards/NAME/boots/NUMBER/console: what its boot loader and kernel sent, a line each
// with the seconds since the boot began; empty where nothing came. None: no such board or boot.
std::optional<std::string> console_text(
    const View& view, std::string_view name, std::size_t number
);

std::string error_json(std::string_view message);
std::string done_json(std::string_view message);  // what was changed

// Text from the network may hold anything; JSON must be UTF-8. What is not plain ASCII is shown as
// "?", as in the story's lines.
std::string ascii(std::string_view text, std::size_t bytes_max = 255);

std::string rfc3339(TimePoint at);  // "2026-11-22T12:30:17Z"

}  // namespace bramble::web
