// An HTTP request and its response as values. They refuse to know connections.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bramble::web {

struct Request {
    std::string method;         // "GET"
    std::string target;         // path and query as sent
    std::string authorization;  // the header's value; empty: none
    std::string if_none_match;  // the header's value; empty: none
};

struct Response {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    bool streams_events = false;  // the body is what happens from now on

    std::string_view header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return {};
    }
};

}  // namespace bramble::web
