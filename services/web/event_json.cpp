#include "services/web/event_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "services/web/json.hpp"

namespace bramble::web {
namespace {

namespace json = boost::json;

std::string_view to_string(boards::Weight weight) {
    switch (weight) {
        case boards::Weight::minor:
            return "minor";
        case boards::Weight::major:
            return "major";
        case boards::Weight::alarm:
            break;
    }
    return "alarm";
}

}  // namespace

std::string story_event_json(const boards::StoryLine& line) {
    json::object out;
    out["at"] = rfc3339(line.at);
    out["board"] = ascii(line.board);
    out["phase"] = ascii(line.phase);
    out["weight"] = to_string(line.weight);
    out["text"] = ascii(line.text);
    return json::serialize(out);
}

std::string notice_event_json(TimePoint at, std::string_view text) {
    json::object out;
    out["at"] = rfc3339(at);
    out["text"] = ascii(text);
    return json::serialize(out);
}

std::string reload_event_json(
    TimePoint at, std::uint64_t generation, std::size_t boards, std::string_view error
) {
    json::object out;
    out["at"] = rfc3339(at);
    out["generation"] = generation;
    out["boards"] = boards;
    out["error"] = error.empty() ? json::value(nullptr) : json::value(ascii(error));
    return json::serialize(out);
}

}  // namespace bramble::web
