#include "services/web/public_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <initializer_list>
#include <string_view>

#include "services/web/json.hpp"

namespace bramble::web {
namespace {

namespace json = boost::json;

// Named one by one: a key that somebody adds to the full document stays there.
json::object only(const json::object& from, std::initializer_list<std::string_view> keys) {
    json::object out;
    for (const std::string_view key : keys) {
        if (const json::value* value = from.if_contains(key)) out[key] = *value;
    }
    return out;
}

json::object public_row(const json::object& board) {
    json::object out = only(board, {"name", "condition", "last_seen", "silent_seconds"});
    if (const json::value* boot = board.if_contains("boot")) {
        out["boot"] = only(
            boot->as_object(),
            {"state",
             "phase",
             "started",
             "last_event",
             "ended",
             "seconds",
             "partial",
             "bytes",
             "entered"}
        );
    }
    if (const json::value* queue = board.if_contains("queue")) out["queue"] = *queue;
    return out;
}

std::string public_rows(const std::string& full) {
    const json::value document = json::parse(full);
    json::object out = only(document.as_object(), {"now"});
    json::array boards;
    for (const json::value& board : document.at("boards").as_array()) {
        boards.push_back(public_row(board.as_object()));
    }
    out["boards"] = std::move(boards);
    return json::serialize(out);
}

}  // namespace

std::string public_status_json(const View& view) {
    const json::value full = json::parse(status_json(view, 0));
    json::object out = only(
        full.as_object(),
        {"now",
         "uptime_seconds",
         "generation",
         "boards",
         "open_transfers",
         "bytes_sent",
         "link_use"}
    );
    const json::object& admission = full.at("admission").as_object();
    out["admission"] =
        only(admission, {"enabled", "inside", "capacity", "waiting", "link_bytes_per_second"});
    out["public"] = true;
    return json::serialize(out);
}

std::string public_boards_json(const View& view) {
    return public_rows(boards_json(view));
}

std::string public_rows_json(const View& view, std::span<const std::string> names) {
    return public_rows(rows_json(view, names));
}

}  // namespace bramble::web
