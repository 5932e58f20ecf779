// The events of /api/v1/events as lines that a person reads while they scroll by. It refuses to
// know where they come from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "services/bramble/event_reader.hpp"

namespace bramble::program {

struct EventFilter {
    std::string board;         // empty: all of them, and what is no board's
    bool small_files = false;  // also those that are there by the dozen
};

// None: not wanted by the filter, or not an event that this program knows.
std::optional<std::string> event_line(const ServerEvent& event, const EventFilter& filter);

// {"event": NAME, …} in one line, of what the filter wants.
std::optional<std::string> event_json_line(const ServerEvent& event, const EventFilter& filter);

}  // namespace bramble::program
