// The boards' side: a board reports that its userspace is up, and nothing else can be asked here.
// It refuses to know boards' stories.
#pragma once

#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "services/web/http.hpp"

namespace bramble::web {

struct UpReport {
    Response response;
    std::string board;  // empty: nothing was reported
};

// PUT /v1/boards/NAME/up, where NAME is the board's name or serial. `board_at_source` is the board
// that has the request's source address, empty when none has: a board speaks for itself alone.
UpReport answer_up_report(
    const Request& request, const fleet::Fleet& fleet, std::string_view board_at_source
);

}  // namespace bramble::web
