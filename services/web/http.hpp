// An HTTP request and its response as values. They refuse to know connections.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "services/web/operation.hpp"

namespace bramble::web {

// Headers' values; empty: the header is not there.
struct Request {
    std::string method;  // "GET"
    std::string target;  // path and query as sent
    std::string authorization;
    std::string if_none_match;
    std::string host{};
    std::string origin{};        // of the page that asks, as its browser says
    std::string fetch_site{};    // Sec-Fetch-Site: what the browser thinks of it
    std::string marker{};        // X-Bramble-Request, which no other site's page can send
    std::string content_type{};  // of the body
    std::string body{};
};

// What the answer is worked out from, when a view does not hold it: the caller's affair.
struct ExplanationOf {
    std::string board;
};

struct GenerationList {};

struct Change {
    std::string token;
    Operation operation;
};

using Later = std::variant<std::monostate, ExplanationOf, GenerationList, Change>;

enum class Stream { none, events, live };

struct Response {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers{};
    Stream stream = Stream::none;  // else the body is what happens from now on
    Later later{};                 // else the body is what comes of that

    std::string_view header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return {};
    }
};

}  // namespace bramble::web
