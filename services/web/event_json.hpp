// The events of /api/v1/events, each one JSON object in one line. They refuse to know who listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/types/time_point.hpp"
#include "services/boards/story.hpp"

namespace bramble::web {

// "event: story": what a board did. {"at", "board", "phase", "weight": minor|major|alarm, "text"}
std::string story_event_json(const boards::StoryLine& line);

// "event: notice": what no board of the fleet did. {"at", "text"}
std::string notice_event_json(TimePoint at, std::string_view text);

// "event: reload": {"at", "generation", "boards", "error": null or why everything is as before}
std::string reload_event_json(
    TimePoint at, std::uint64_t generation, std::size_t boards, std::string_view error
);

}  // namespace bramble::web
