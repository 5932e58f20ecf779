#include "services/bramble/event_text.hpp"

#include <fmt/core.h>

#include <boost/json.hpp>

#include "services/bramble/json_reading.hpp"

namespace bramble::program {
namespace {

namespace json = boost::json;

// "2027-01-15T08:00:01Z" -> "08:00:01": who watches knows the day.
std::string clock_of(const json::object& event) {
    constexpr std::size_t time_at = 11;
    const std::string at = text_of(event, "at");
    return at.size() == 20 ? at.substr(time_at, 8) : at;
}

bool is_wanted(const ServerEvent& event, const json::object& data, const EventFilter& filter) {
    if (event.name != "story") return filter.board.empty();
    if (!filter.board.empty() && text_of(data, "board") != filter.board) return false;
    return filter.small_files || text_of(data, "weight") != "minor";
}

std::string reload_text(const json::object& data) {
    if (find(data, "error") != nullptr && !find(data, "error")->is_null()) {
        return "THE RELOAD FAILED, everything is served as before: " + text_of(data, "error");
    }
    return fmt::format(
        "serving generation {}, {} boards", text_of(data, "generation"), text_of(data, "boards")
    );
}

}  // namespace

std::optional<std::string> event_line(const ServerEvent& event, const EventFilter& filter) {
    const auto data = parse_object(event.data);
    if (!data || !is_wanted(event, *data, filter)) return std::nullopt;
    const auto line = [&data](const std::string& who, const std::string& what, std::string text) {
        return fmt::format("{}  {:<10}  {:<9}  {}", clock_of(*data), who, what, text);
    };
    if (event.name == "story") {
        const bool alarm = text_of(*data, "weight") == "alarm";
        return line(
            text_of(*data, "board"),
            text_of(*data, "phase"),
            (alarm ? "! " : "") + text_of(*data, "text")
        );
    }
    if (event.name == "notice") return line("*", "notice", text_of(*data, "text"));
    if (event.name == "reload") return line("*", "reload", reload_text(*data));
    return std::nullopt;
}

std::optional<std::string> event_json_line(const ServerEvent& event, const EventFilter& filter) {
    const auto data = parse_object(event.data);
    if (!data || !is_wanted(event, *data, filter)) return std::nullopt;
    json::object out;
    out["event"] = event.name;
    for (const auto& [key, value] : *data) out[key] = value;
    return json::serialize(out);
}

}  // namespace bramble::program
