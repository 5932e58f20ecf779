// The operators' side: from a request to its response, page or API, as a pure function. It refuses
// to change anything: what is to be changed is told to the caller.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/web/http.hpp"
#include "services/web/view.hpp"

namespace bramble::web {

// One line of the API; openapi.json describes each.
struct Route {
    std::string_view method;
    std::string_view path;  // "/api/v1/boards/{name}"
};

std::span<const Route> routes();

struct Access {
    // Who may read the API. Unset: everyone who reaches the listener, which then is on loopback.
    std::optional<std::string> token;
    std::vector<std::string> names;  // of this machine, that a browser may have asked for
};

// GET / is the status page, beside its files; they tell nothing of the fleet and are free. HEAD is
// answered as GET; the listener leaves the body out. The API asks for "Authorization: Bearer TOKEN"
// when a token is set; where none is, for a Host that is ours. What changes something always asks
// for a token, for a Host that is ours, and for signs that no other site's page sent it; whether
// the token is right, whoever carries it out says as well.
Response answer(const Request& request, const View& view, const Access& access);

// The same for a display on the wall, which anybody may look at: the page, states of boards by
// name, and nothing else.
Response answer_public(const Request& request, const View& view);

// How an answer that was worked out later is sent.
Response api_answer(unsigned status, std::string body);

// The board whose kept boots the answer will show: View::kept is for it. None: it needs none.
std::optional<std::string_view> history_wanted(const Request& request);

}  // namespace bramble::web
