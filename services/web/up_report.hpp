// The boards' side: a board reports that its userspace is up or still is, nothing else can be
// asked. It refuses to know boards' stories.
#pragma once

#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/types/time_point.hpp"
#include "services/web/http.hpp"

namespace bramble::web {

// What the body says, line by line: "kernel=6.1.0-56-arm64", "heartbeat=60". Any bytes: what has no
// sensible value is left out.
struct ReportBody {
    static constexpr Duration heartbeat_min = std::chrono::seconds(10);
    static constexpr Duration heartbeat_max = std::chrono::hours(1);

    std::string kernel;
    Duration heartbeat{0};  // how often it will be heard; 0: never

    friend bool operator==(const ReportBody&, const ReportBody&) = default;
};

ReportBody read_report_body(std::string_view body);

struct UpReport {
    Response response;
    std::string board;       // empty: nothing was reported
    bool heartbeat = false;  // it still runs, as it said before
};

// PUT /v1/boards/NAME/up and …/heartbeat, where NAME is the board's name or serial.
// `board_at_source` is the board that has the request's source address, empty when none has: a
// board speaks for itself alone.
UpReport answer_up_report(
    const Request& request, const fleet::Fleet& fleet, std::string_view board_at_source
);

}  // namespace bramble::web
