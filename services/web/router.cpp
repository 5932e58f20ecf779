#include "services/web/router.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <system_error>

#include "services/web/assets.hpp"
#include "services/web/json.hpp"

namespace bramble::web {
namespace {

constexpr std::string_view boards_before = "/api/v1/boards/";

// Nothing from elsewhere runs in the page, and nobody frames it.
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

Response with_safety(Response response) {
    response.headers.emplace_back("Content-Security-Policy", content_policy);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    return response;
}

Response api(unsigned status, std::string body) {
    return {
        status,
        "application/json; charset=utf-8",
        std::move(body) + "\n",
        {{"Cache-Control", "no-store"}}};
}

std::string_view content_type_of(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    return "application/octet-stream";
}

std::optional<Response> page_file(std::string_view path, const Request& request) {
    if (!path.starts_with('/')) return std::nullopt;
    const std::string_view name = path == "/" ? "index.html" : path.substr(1);
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name != name) continue;
        const std::string etag = "\"" + std::string(file.sha256.substr(0, 32)) + "\"";
        Response response;
        response.content_type = content_type_of(name);
        response.headers = {{"Cache-Control", "no-cache"}, {"ETag", etag}};
        if (request.if_none_match == etag) {
            response.status = 304;
        } else {
            response.body = file.bytes;
        }
        return response;
    }
    return std::nullopt;
}

// Takes as long for a wrong token as for the right one.
bool is_same(std::string_view given, std::string_view expected) {
    unsigned difference = given.size() == expected.size() ? 0U : 1U;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const char c = given.empty() ? '\0' : given[i % given.size()];
        difference |= static_cast<unsigned char>(c) ^ static_cast<unsigned char>(expected[i]);
    }
    return difference == 0;
}

bool may_read(const Request& request, const Access& access) {
    if (!access.token) return true;
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view given = request.authorization;
    if (access.token->empty() || !given.starts_with(scheme)) return false;
    return is_same(given.substr(scheme.size()), *access.token);
}

std::string_view path_of(const Request& request) {
    const std::string_view target = request.target;
    return target.substr(0, target.find('?'));
}

// "/api/v1/boards/NAME" or "/api/v1/boards/NAME/boots/N".
struct BoardPath {
    std::string_view name;
    std::optional<std::size_t> boot;
};

std::optional<BoardPath> board_path(std::string_view path) {
    if (!path.starts_with(boards_before)) return std::nullopt;
    path.remove_prefix(boards_before.size());
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return BoardPath{path, std::nullopt};
    constexpr std::string_view boots = "/boots/";
    const std::string_view rest = path.substr(slash);
    if (!rest.starts_with(boots)) return std::nullopt;
    const std::string_view digits = rest.substr(boots.size());
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return BoardPath{path.substr(0, slash), number};
}

Response answer_board(const BoardPath& wanted, const View& view) {
    if (!wanted.boot) {
        if (auto board = board_json(view, wanted.name)) return api(200, std::move(*board));
        return api(404, error_json("no board of this name is in the fleet file"));
    }
    if (view.fleet.find_board(wanted.name) == nullptr) {
        return api(404, error_json("no board of this name is in the fleet file"));
    }
    if (auto boot = boot_json(view, wanted.name, *wanted.boot)) return api(200, std::move(*boot));
    return api(404, error_json("no such boot of this board is kept"));
}

Response answer_api(std::string_view path, const View& view) {
    if (path == "/api/v1/status") return api(200, status_json(view));
    if (path == "/api/v1/boards") return api(200, boards_json(view));
    if (path == "/api/v1/events") return {200, "text/event-stream; charset=utf-8", "", {}, true};
    if (const auto wanted = board_path(path)) return answer_board(*wanted, view);
    return api(
        404, error_json("no such page; there are /api/v1/status, /api/v1/boards, /api/v1/events")
    );
}

}  // namespace

std::optional<std::string_view> history_wanted(const Request& request) {
    const auto wanted = board_path(path_of(request));
    return wanted ? std::optional(wanted->name) : std::nullopt;
}

Response answer(const Request& request, const View& view, const Access& access) {
    const std::string_view path = path_of(request);
    if (request.method != "GET" && request.method != "HEAD") {
        Response refused = api(405, error_json("only GET and HEAD are answered here"));
        refused.headers.emplace_back("Allow", "GET, HEAD");
        return with_safety(std::move(refused));
    }
    if (path.starts_with("/api/")) {
        if (may_read(request, access)) return with_safety(answer_api(path, view));
        Response refused = api(401, error_json("send the token: Authorization: Bearer TOKEN"));
        refused.headers.emplace_back("WWW-Authenticate", "Bearer");
        return with_safety(std::move(refused));
    }
    if (auto file = page_file(path, request)) return with_safety(std::move(*file));
    return with_safety({404, "text/plain; charset=utf-8", "no such page; begin at /\n", {}});
}

}  // namespace bramble::web
