// The operators' side: from a request to its response, page or API, as a pure function. It refuses
// to change anything: this API only reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/web/http.hpp"
#include "services/web/view.hpp"

namespace bramble::web {

// Who may read the API. Unset: everyone who reaches the listener, which then is on loopback.
struct Access {
    std::optional<std::string> token;
};

//   GET /                      the status page, and its files /style.css, /app.js, /icon.svg
//   GET /api/v1/status         counts, generation, the last reload's error
//   GET /api/v1/boards         every board in one line each, and strangers
//   GET /api/v1/boards/NAME    one board's boot with phases and files, and its history
//   GET /api/v1/boards/NAME/boots/N    the latest boot (0), or the N-th before it, as it was kept
//   GET /api/v1/events         what happens from now on, as server-sent events: event_json.hpp
// HEAD is answered as GET; the listener leaves the body out. The API asks for
// "Authorization: Bearer TOKEN" when a token is set; the page's own files tell nothing and are
// free.
Response answer(const Request& request, const View& view, const Access& access);

// The board whose kept boots the answer will show: View::kept is for it. None: it needs none.
std::optional<std::string_view> history_wanted(const Request& request);

}  // namespace bramble::web
