#include "services/bramble/event_reader.hpp"

#include <algorithm>
#include <utility>

namespace bramble::program {

std::vector<ServerEvent> EventReader::feed(std::string_view piece) {
    std::vector<ServerEvent> events;
    for (const char c : piece) {
        const bool second_of_two = after_return_ && c == '\n';
        after_return_ = c == '\r';
        if (second_of_two) continue;
        if (c == '\n' || c == '\r') {
            end_line(events);
        } else if (line_.size() < bytes_max) {
            line_ += c;
        }
    }
    return events;
}

// HTML Living Standard §9.2.6.
void EventReader::end_line(std::vector<ServerEvent>& events) {
    const std::string line = std::exchange(line_, {});
    if (line.empty()) {
        ServerEvent event = std::exchange(event_, {});
        if (event.name.empty()) event.name = "message";
        if (std::exchange(has_data_, false)) events.push_back(std::move(event));
        return;
    }
    const auto colon = line.find(':');
    const std::string_view all = line;
    const std::string_view field = all.substr(0, colon);
    std::string_view value =
        colon == std::string::npos ? std::string_view() : all.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") {
        event_.name = value;
    } else if (field == "data") {
        if (std::exchange(has_data_, true)) event_.data += '\n';
        event_.data += value.substr(0, bytes_max - std::min(bytes_max, event_.data.size()));
    }
}

}  // namespace bramble::program
