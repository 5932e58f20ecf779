#include "services/web/router.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <system_error>

#include "services/web/assets.hpp"
#include "services/web/json.hpp"
#include "services/web/public_json.hpp"
#include "services/web/same_site.hpp"

namespace bramble::web {
namespace {

// What stands at the place of {name} and {number}.
using Parameters = std::array<std::string_view, 2>;

struct Asking {
    const Request& request;
    const View& view;
    Parameters parameters;
};

Response api(unsigned status, std::string body) {
    return {
        status,
        "application/json; charset=utf-8",
        std::move(body) + "\n",
        {{"Cache-Control", "no-store"}},
        {},
        {}};
}

Response no_such_board() {
    return api(404, error_json("no board of this name is in the fleet file"));
}

Response show_status(const Asking& asking) {
    return api(200, status_json(asking.view));
}

Response show_boards(const Asking& asking) {
    return api(200, boards_json(asking.view));
}

Response show_board(const Asking& asking) {
    if (auto board = board_json(asking.view, asking.parameters[0])) {
        return api(200, std::move(*board));
    }
    return no_such_board();
}

Response no_such_boot() {
    return api(404, error_json("no such boot of this board is kept"));
}

// Calls `show` with the number that stands in the path.
template <typename Show>
Response with_boot_number(const Asking& asking, Show show) {
    const auto& [name, digits] = asking.parameters;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        return api(404, error_json("boots are numbered: 0 is the latest, 1 the one before"));
    }
    if (asking.view.fleet.find_board(name) == nullptr) return no_such_board();
    return show(name, number);
}

Response show_boot(const Asking& asking) {
    return with_boot_number(asking, [&](std::string_view name, std::size_t number) {
        auto boot = boot_json(asking.view, name, number);
        return boot ? api(200, std::move(*boot)) : no_such_boot();
    });
}

Response show_console(const Asking& asking) {
    return with_boot_number(asking, [&](std::string_view name, std::size_t number) {
        auto text = console_text(asking.view, name, number);
        if (!text) return no_such_boot();
        Response out = api(200, "");
        out.content_type = "text/plain; charset=utf-8";
        out.body = std::move(*text);
        return out;
    });
}

Response worked_out_later(Later later) {
    Response out = api(200, "");
    out.later = std::move(later);
    return out;
}

Response explain_board(const Asking& asking) {
    const std::string_view name = asking.parameters[0];
    if (asking.view.fleet.find_board(name) == nullptr) return no_such_board();
    return worked_out_later(ExplanationOf{std::string(name)});
}

Response list_generations(const Asking& /*asking*/) {
    return worked_out_later(GenerationList{});
}

Response stream(Stream which) {
    Response out;
    out.content_type = "text/event-stream; charset=utf-8";
    out.stream = which;
    return out;
}

Response stream_events(const Asking& /*asking*/) {
    return stream(Stream::events);
}

Response stream_live(const Asking& /*asking*/) {
    return stream(Stream::live);
}

const EmbeddedFile* find_file(std::string_view name) {
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name == name) return &file;
    }
    return nullptr;
}

Response show_description(const Asking& /*asking*/) {
    return api(200, std::string(find_file("openapi.json")->bytes));
}

std::string_view token_of(const Request& request) {
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view given = request.authorization;
    return given.starts_with(scheme) ? given.substr(scheme.size()) : std::string_view();
}

Response change(const Asking& asking, Operation operation) {
    return worked_out_later(Change{std::string(token_of(asking.request)), std::move(operation)});
}

template <typename T>
Response change_as_body_says(const Asking& asking, Result<T> (*parse)(std::string_view)) {
    if (!asking.request.content_type.starts_with("application/json")) {
        return api(415, error_json("send the body as Content-Type: application/json"));
    }
    auto parsed = parse(asking.request.body);
    if (!parsed) return api(400, error_json("the body: " + parsed.error().message));
    return change(asking, std::move(*parsed));
}

Response adopt_board(const Asking& asking) {
    return change_as_body_says(asking, parse_adopt);
}

Response forget_board(const Asking& asking) {
    return change(asking, Forget{std::string(asking.parameters[0])});
}

Response roll_back(const Asking& asking) {
    return change_as_body_says(asking, parse_roll_back);
}

using Answerer = Response (*)(const Asking&);

struct Row {
    Route route;
    Answerer answer;
};

constexpr std::array rows = {
    Row{{"GET", "/api/v1/status"}, show_status},
    Row{{"GET", "/api/v1/boards"}, show_boards},
    Row{{"POST", "/api/v1/boards"}, adopt_board},
    Row{{"GET", "/api/v1/boards/{name}"}, show_board},
    Row{{"DELETE", "/api/v1/boards/{name}"}, forget_board},
    Row{{"GET", "/api/v1/boards/{name}/boots/{number}"}, show_boot},
    Row{{"GET", "/api/v1/boards/{name}/boots/{number}/console"}, show_console},
    Row{{"GET", "/api/v1/boards/{name}/explanation"}, explain_board},
    Row{{"GET", "/api/v1/generations"}, list_generations},
    Row{{"POST", "/api/v1/rollback"}, roll_back},
    Row{{"GET", "/api/v1/events"}, stream_events},
    Row{{"GET", "/api/v1/live"}, stream_live},
    Row{{"GET", "/api/v1/openapi.json"}, show_description},
};

std::string_view take_part(std::string_view& path) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    return part;
}

// "/a/{b}" fits "/a/x" and nothing longer or shorter.
std::optional<Parameters> fit(std::string_view path, std::string_view pattern) {
    if (!path.starts_with('/') || std::ranges::count(path, '/') != std::ranges::count(pattern, '/'))
        return std::nullopt;
    Parameters out;
    std::size_t count = 0;
    while (!pattern.empty()) {
        const std::string_view wanted = take_part(pattern);
        const std::string_view given = take_part(path);
        if (wanted.starts_with('{')) {
            if (given.empty()) return std::nullopt;
            out[count++] = given;
        } else if (wanted != given) {
            return std::nullopt;
        }
    }
    return out;
}

// Nothing from elsewhere runs in the page, and nobody frames it.
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

Response with_safety(Response response) {
    response.headers.emplace_back("Content-Security-Policy", content_policy);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    return response;
}

std::string_view content_type_of(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    return "application/octet-stream";
}

std::optional<Response> page_file(std::string_view path, const Request& request) {
    if (!path.starts_with('/') || path.ends_with(".json")) return std::nullopt;
    const EmbeddedFile* file = find_file(path == "/" ? "index.html" : path.substr(1));
    if (file == nullptr) return std::nullopt;
    const std::string etag = "\"" + std::string(file->sha256.substr(0, 32)) + "\"";
    Response response;
    response.content_type = content_type_of(file->name);
    response.headers = {{"Cache-Control", "no-cache"}, {"ETag", etag}};
    if (request.if_none_match == etag) {
        response.status = 304;
    } else {
        response.body = file->bytes;
    }
    return response;
}

bool reads(const Request& request) {
    return request.method == "GET" || request.method == "HEAD";
}

std::string_view path_of(const Request& request) {
    const std::string_view target = request.target;
    return target.substr(0, target.find('?'));
}

Response unauthorized() {
    Response out = api(401, error_json("send the token: Authorization: Bearer TOKEN"));
    out.headers.emplace_back("WWW-Authenticate", "Bearer");
    return out;
}

Response not_our_host() {
    return api(
        421,
        error_json("this name is not known to be this machine's: ask by its address, or add the "
                   "name to admin: {names: […]} in the fleet file")
    );
}

Response not_allowed(std::string allowed) {
    Response out = api(405, error_json("this is not answered here; there are " + allowed));
    out.headers.emplace_back("Allow", std::move(allowed));
    return out;
}

// Why the request is not looked at; none: it is.
std::optional<Response> refuse(const Request& request, const Access& access) {
    const bool has_token = access.token && is_token(token_of(request), *access.token);
    if (!reads(request)) {
        if (!is_our_host(request.host, access.names)) return not_our_host();
        if (const auto why = foreign(request); !why.empty()) {
            return api(403, error_json(why));
        }
        if (token_of(request).empty() || (access.token && !has_token)) return unauthorized();
        return std::nullopt;
    }
    if (access.token) return has_token ? std::nullopt : std::optional(unauthorized());
    // No other site's page has a token; where none is asked for, the name is what gives it away.
    if (!is_our_host(request.host, access.names)) return not_our_host();
    return std::nullopt;
}

Response answer_api(const Request& request, const View& view) {
    std::string allowed;
    for (const Row& row : rows) {
        const auto parameters = fit(path_of(request), row.route.path);
        if (!parameters) continue;
        const bool is_asked = row.route.method == request.method ||
                              (row.route.method == "GET" && request.method == "HEAD");
        if (is_asked) return row.answer({request, view, *parameters});
        if (!allowed.empty()) allowed += ", ";
        allowed += row.route.method == "GET" ? "GET, HEAD" : row.route.method;
    }
    if (!allowed.empty()) return not_allowed(std::move(allowed));
    return api(404, error_json("no such page; /api/v1/openapi.json describes those there are"));
}

Response no_page() {
    return {404, "text/plain; charset=utf-8", "no such page; begin at /\n", {}, {}, {}};
}

}  // namespace

std::span<const Route> routes() {
    static const auto out = [] {
        std::array<Route, rows.size()> all;
        for (std::size_t i = 0; i < rows.size(); ++i) all[i] = rows[i].route;
        return all;
    }();
    return out;
}

Response api_answer(unsigned status, std::string body) {
    return with_safety(api(status, std::move(body)));
}

std::optional<std::string_view> history_wanted(const Request& request) {
    for (const char* pattern :
         {"/api/v1/boards/{name}",
          "/api/v1/boards/{name}/boots/{number}",
          "/api/v1/boards/{name}/boots/{number}/console"}) {
        if (const auto parameters = fit(path_of(request), pattern); parameters && reads(request)) {
            return (*parameters)[0];
        }
    }
    return std::nullopt;
}

Response answer(const Request& request, const View& view, const Access& access) {
    const std::string_view path = path_of(request);
    if (path.starts_with("/api/")) {
        if (auto refused = refuse(request, access)) return with_safety(std::move(*refused));
        return with_safety(answer_api(request, view));
    }
    if (!reads(request)) return with_safety(not_allowed("GET, HEAD"));
    if (auto file = page_file(path, request)) return with_safety(std::move(*file));
    return with_safety(no_page());
}

Response answer_public(const Request& request, const View& view) {
    const std::string_view path = path_of(request);
    if (!reads(request)) return with_safety(not_allowed("GET, HEAD"));
    if (path == "/api/v1/status") return with_safety(api(200, public_status_json(view)));
    if (path == "/api/v1/boards") return with_safety(api(200, public_boards_json(view)));
    if (path == "/api/v1/live") return with_safety(stream(Stream::live));
    if (auto file = page_file(path, request)) return with_safety(std::move(*file));
    return with_safety(no_page());
}

}  // namespace bramble::web
