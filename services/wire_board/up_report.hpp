// The report of a board that is up, as the unit in its root sends it. It refuses to know who is up.
#pragma once

#include <string>

#include "config/types/result.hpp"

namespace bramble::wire_board {

// Where the root's own script reports to; empty: it does not say.
std::string up_url_in(const std::string& script);

// HTTP PUT of two of the report's lines (hostname, cmdline: no kernel runs) to `url`; whether the
// answer is a 2xx. Errors: not http://ADDRESS[:PORT]/…, no connection, another answer.
[[nodiscard]] Result<void> report_up(
    const std::string& url, const std::string& hostname, const std::string& cmdline
);

}  // namespace bramble::wire_board
