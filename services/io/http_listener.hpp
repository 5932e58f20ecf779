// HTTP requests in, responses out, within bounds of size, time and number. It refuses to know what
// is asked for: the handler decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "services/io/event_stream.hpp"
#include "services/io/loop.hpp"

namespace bramble::io {

struct HttpRequest {
    std::string method;  // "GET"
    std::string target;  // path and query as sent, "/v1/boards/pi-01/up"
    std::string body;
    std::optional<Ipv4Address> peer;  // none: the client came by IPv6
    // Headers' values, empty when there are none.
    std::string authorization;
    std::string if_none_match;
    std::string host;
    std::string origin;
    std::string fetch_site;  // Sec-Fetch-Site
    std::string marker;      // X-Bramble-Request
    std::string content_type;
};

struct HttpResponse {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    // Set: what is published there is the body, until the client goes away. 503 instead when the
    // stream is full.
    std::optional<EventStream> events = std::nullopt;
    // Set: the answer is what it gives to its argument, once, on the loop's thread. An argument
    // that goes uncalled ends the connection.
    std::function<void(std::function<void(HttpResponse)>)> later = nullptr;
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpLimits {
    std::uint32_t header_bytes_max = 8 * 1024;
    std::uint64_t body_bytes_max = 64 * 1024;
    // One more ends the one that has been silent the longest without having asked anything; when
    // all are being answered, itself.
    std::size_t connections_max = 64;
    std::size_t requests_per_connection_max = 100;
    Duration request_timeout = std::chrono::seconds(10);  // for a whole request and its response
};

class HttpListener {
public:
    // Listens at once. Port 0 lets the machine choose. Errors: not an address, port taken.
    [[nodiscard]] static Result<HttpListener> open(
        Loop& loop,
        const std::string& address,
        std::uint16_t port,
        HttpHandler handler,
        HttpLimits limits = {}
    );

    ~HttpListener();
    HttpListener(HttpListener&&) noexcept;
    HttpListener& operator=(HttpListener&&) noexcept;

    std::uint16_t port() const;

    struct State;

private:
    explicit HttpListener(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;  // shared with the connections that are still being answered
};

}  // namespace bramble::io
