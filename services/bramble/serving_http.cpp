#include <spdlog/spdlog.h>

#include <boost/json.hpp>

#include "config/layout/up_report.hpp"
#include "services/bramble/serving.hpp"

namespace bramble::program {
namespace {

io::HttpResponse plain(unsigned status, std::string text) {
    return {status, "text/plain; charset=utf-8", std::move(text), {}};
}

}  // namespace

io::HttpResponse Serving::answer_admin(const io::HttpRequest& request) {
    if (request.method != "GET" && request.method != "HEAD") {
        return plain(405, "only GET is answered here\n");
    }
    if (request.target == "/api/v1/status") {
        return {200, "application/json", status_json(), {}};
    }
    return plain(404, "no such page\n");
}

// Can do nothing but note that a board is up; who may say so is decided by the source address.
io::HttpResponse Serving::answer_board(const io::HttpRequest& request) {
    const auto name = layout::board_of_up_report(request.target);
    if (!name) return plain(404, "boards report PUT /v1/boards/NAME/up here\n");
    if (request.method != "PUT") return plain(405, "PUT reports that the board is up\n");
    const auto& known = addresses_.boards();
    const auto found = request.peer ? known.find(*request.peer) : known.end();
    const fleet::Board* board = fleet_->find_board(*name);
    const bool reserved =
        board != nullptr && board->address && request.peer && *board->address == *request.peer;
    const bool leased = found != known.end() && found->second == *name;
    const bool is_strangers = found != known.end() && found->second != *name;
    if (!leased && (!reserved || is_strangers)) {
        spdlog::warn(
            "report refused board={} peer={}", *name, request.peer ? request.peer->to_string() : "?"
        );
        return plain(403, "this address is not that board's\n");
    }
    on_reported_up(std::string(*name), *request.peer);
    return plain(204, "");
}

std::string Serving::status_json() const {
    boost::json::array boards;
    for (const auto& [name, story] : tracker_.boards()) {
        boost::json::object board;
        board["name"] = name;
        board["state"] = to_string(story.condition());
        board["generation"] = tracker_.generation_for(name);
        if (story.boot) {
            if (story.boot->address.is_set()) board["address"] = story.boot->address.to_string();
            board["phase"] = to_string(story.boot->phase);
            board["diagnosis"] = story.boot->diagnosis;
        }
        boards.push_back(std::move(board));
    }
    boost::json::object out;
    out["generation"] = current_ ? current_->manifest().generation : 0;
    out["reload_error"] = reload_error_;
    out["boards"] = std::move(boards);
    return boost::json::serialize(out);
}

}  // namespace bramble::program
