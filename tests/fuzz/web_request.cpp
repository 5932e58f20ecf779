// Requests to the operators' side, the wall and the helper, as anybody may send them: nothing is
// changed without a token, and every answer is whole.
#include <boost/json.hpp>
#include <cstdlib>

#include "services/web/router.hpp"
#include "services/web/same_site.hpp"

namespace {

using namespace bramble;

// One field for each line of the input, in this order.
web::Request request_of(std::string_view text) {
    web::Request out;
    for (std::string* field :
         {&out.method,
          &out.target,
          &out.authorization,
          &out.host,
          &out.origin,
          &out.fetch_site,
          &out.marker,
          &out.content_type,
          &out.if_none_match}) {
        const auto end = text.find('\n');
        *field = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    out.body = text;
    return out;
}

void must(bool holds) {
    if (!holds) std::abort();
}

void check(const web::Request& request, const web::Response& response) {
    must(response.status >= 200 && response.status < 500);
    must(!response.header("Content-Security-Policy").empty());
    must(!response.header("X-Content-Type-Options").empty());
    const auto* change = std::get_if<web::Change>(&response.later);
    if (change != nullptr) {
        must(request.method != "GET" && request.method != "HEAD" && !change->token.empty());
        must(!request.marker.empty() && web::is_our_host(request.host, {}));
        must(request.fetch_site.empty() || request.fetch_site == "same-origin");
        const web::Asked asked{change->token, "peer", change->operation};
        const auto back = web::parse_asked(web::to_line(asked));
        must(!back || *back == asked);
        (void)web::describe(change->operation);
    }
    const bool is_worked_out = std::holds_alternative<std::monostate>(response.later);
    const bool is_json = response.content_type.starts_with("application/json");
    if (is_json && is_worked_out && response.stream == web::Stream::none) {
        (void)boost::json::parse(response.body);  // throws, and that is a find
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const fleet::Fleet fleet = [] {
        fleet::Fleet out;
        out.boards.resize(1);
        out.boards[0].name = "pi-01";
        return out;
    }();
    static const boards::Tracker tracker = [] {
        boards::Tracker out;
        out.set_boards({{"pi-01", {}, {}, {}}});
        return out;
    }();
    const web::ServerFacts facts;
    const web::View view{facts, fleet, tracker};
    const web::Request request = request_of(text);
    (void)web::history_wanted(request);
    check(request, web::answer(request, view, {}));
    const web::Access access{"a token of the operator", {}};
    const web::Response guarded = web::answer(request, view, access);
    check(request, guarded);
    const bool has_token = request.authorization == "Bearer a token of the operator";
    must(has_token || std::holds_alternative<std::monostate>(guarded.later));
    must(has_token || guarded.stream == web::Stream::none);
    const web::Response shown = web::answer_public(request, view);
    check(request, shown);
    must(std::holds_alternative<std::monostate>(shown.later));
    (void)web::parse_outcome(text);
    if (const auto asked = web::parse_asked(text)) {
        must(web::parse_asked(web::to_line(*asked)) == *asked);
    }
    return 0;
}
