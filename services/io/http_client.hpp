// One HTTP request and its response, for subcommands that ask a running serve. It refuses to know
// what is asked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/types/result.hpp"
#include "config/types/time_point.hpp"
#include "services/io/http_listener.hpp"

namespace bramble::io {

struct HttpCall {
    std::string address;  // an IP address
    std::uint16_t port = 80;
    std::string method = "GET";
    std::string target = "/";
    std::string body;
    std::string bearer_token;  // empty: none is sent
    Duration timeout = std::chrono::seconds(5);

    static constexpr std::uint64_t response_bytes_max = 64ULL * 1024 * 1024;
};

// Blocks. Errors: nobody listens, no answer in time, an answer that is not HTTP.
[[nodiscard]] Result<HttpResponse> call_http(const HttpCall& call);

// The same for a body that has no end: each piece of it goes to `on_body` as it comes, until that
// says false, the server ends it or is silent for `silence_max`. The answer's body is empty then;
// one whose status is not 200 is read whole instead.
[[nodiscard]] Result<HttpResponse> follow_http(
    const HttpCall& call, Duration silence_max, std::function<bool(std::string_view)> on_body
);

}  // namespace bramble::io
