#include "services/io/http_listener.hpp"

#include <fmt/core.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <tuple>

#include "services/io/event_stream_impl.hpp"
#include "services/io/loop_impl.hpp"

namespace bramble::io {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

struct HttpListener::State {
    State(asio::io_context& context, HttpHandler answer, HttpLimits bounds)
        : acceptor(context), handler(std::move(answer)), limits(bounds) {}

    tcp::acceptor acceptor;
    HttpHandler handler;
    HttpLimits limits;
    std::size_t connections = 0;
    std::list<beast::tcp_stream*> silent;  // that have yet to ask, the longest silent first
    bool closed = false;
};

namespace {

using StatePtr = std::shared_ptr<HttpListener::State>;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::string text_of(beast::string_view view) {
    return {view.data(), view.size()};
}

HttpRequest to_request(const Request& message, const tcp::endpoint& peer) {
    HttpRequest out;
    out.method = text_of(message.method_string());
    out.target = text_of(message.target());
    out.body = message.body();
    out.authorization = text_of(message[http::field::authorization]);
    out.if_none_match = text_of(message[http::field::if_none_match]);
    out.host = text_of(message[http::field::host]);
    out.origin = text_of(message[http::field::origin]);
    out.fetch_site = text_of(message["Sec-Fetch-Site"]);
    out.marker = text_of(message["X-Bramble-Request"]);
    out.content_type = text_of(message[http::field::content_type]);
    if (peer.address().is_v4()) out.peer = Ipv4Address(peer.address().to_v4().to_uint());
    return out;
}

Response to_message(HttpResponse response, const Request& request) {
    Response out{http::int_to_status(response.status), request.version()};
    out.result(response.status);
    out.set(http::field::server, "bramble");
    if (!response.content_type.empty()) out.set(http::field::content_type, response.content_type);
    out.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) out.set(name, value);
    out.body() = std::move(response.body);
    // RFC 9110 §15.3.5: a 204 ends with its header and carries no length.
    if (response.status != 204) out.prepare_payload();
    if (request.method() == http::verb::head) out.body().clear();
    return out;
}

HttpResponse refusal(const beast::error_code& error) {
    if (error == http::error::body_limit) return {413, "text/plain", "body too long\n", {}};
    if (error == http::error::header_limit) return {431, "text/plain", "header too long\n", {}};
    return {400, "text/plain", "not an HTTP request\n", {}};
}

bool is_protocol_error(const beast::error_code& error) {
    return error.category() == make_error_code(http::error::bad_method).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message;
}

HttpResponse call_handler(const StatePtr& state, const HttpRequest& request) {
    try {
        return state->handler(request);
    } catch (const std::exception& error) {
        return {500, "text/plain", fmt::format("internal error: {}\n", error.what()), {}};
    }
}

bool has_room(const EventStream& events) {
    return events.figures().listeners < events.state().limits.listeners_max;
}

// No length and no further request: the body ends with the connection (RFC 9112 §6.3).
asio::awaitable<void> stream_events(
    HttpResponse answer, const Request& request, beast::tcp_stream& stream
) {
    const EventStream events = *answer.events;
    http::response<http::empty_body> header{http::status::ok, request.version()};
    header.set(http::field::server, "bramble");
    header.set(http::field::content_type, "text/event-stream; charset=utf-8");
    header.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : answer.headers) header.set(name, value);
    header.keep_alive(false);
    http::response_serializer<http::empty_body> serializer(header);
    const auto [error, written] = co_await http::async_write_header(stream, serializer, as_result);
    if (error || request.method() == http::verb::head) co_return;
    co_await send_events(events, stream);
}

// Also of a connection whose answer never comes: its frame goes without coming to its end.
class Counted {
public:
    explicit Counted(std::size_t& count) : count_(count) { ++count_; }

    ~Counted() { --count_; }

    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    std::size_t& count_;
};

// One of the connections that have yet to ask, for as long as this lives.
class Silence {
public:
    Silence(StatePtr state, beast::tcp_stream& stream)
        : state_(std::move(state)), place_(state_->silent.insert(state_->silent.end(), &stream)) {}

    ~Silence() { state_->silent.erase(place_); }

    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    StatePtr state_;
    std::list<beast::tcp_stream*>::iterator place_;
};

// Whether there is room for one more, if need be by ending the longest silent connection: whoever
// opens a thousand and says nothing keeps nobody out.
bool make_room(HttpListener::State& state) {
    if (state.connections < state.limits.connections_max) return true;
    if (state.silent.empty()) return false;
    state.silent.front()->cancel();
    state.silent.splice(state.silent.end(), state.silent, state.silent.begin());
    return true;
}

asio::awaitable<HttpResponse> answer_later(
    std::function<void(std::function<void(HttpResponse)>)> later
) {
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(HttpResponse)>(
        [&later](auto handler) {
            // std::function wants what can be copied; it is called once.
            const auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
            later([waiting](HttpResponse response) {
                // Out of what the caller may let go of as soon as the answer is on its way.
                auto own = std::move(*waiting);
                std::move(own)(std::move(response));
            });
        },
        asio::use_awaitable
    );
}

asio::awaitable<void> converse(StatePtr state, beast::tcp_stream& stream) {
    beast::flat_buffer buffer;
    beast::error_code ignored;
    const tcp::endpoint peer = stream.socket().remote_endpoint(ignored);
    for (std::size_t count = 1; !state->closed; ++count) {
        stream.expires_after(state->limits.request_timeout);
        http::request_parser<http::string_body> parser;
        parser.header_limit(state->limits.header_bytes_max);
        parser.body_limit(state->limits.body_bytes_max);
        beast::error_code read_error;
        {
            const Silence silence(state, stream);
            std::tie(read_error, std::ignore) =
                co_await http::async_read(stream, buffer, parser, as_result);
        }
        if (read_error && !is_protocol_error(read_error)) co_return;

        const Request& request = parser.get();
        HttpResponse answer =
            read_error ? refusal(read_error) : call_handler(state, to_request(request, peer));
        if (answer.later) {
            stream.expires_never();
            answer = co_await answer_later(std::move(answer.later));
            stream.expires_after(state->limits.request_timeout);
        }
        if (answer.events && has_room(*answer.events)) {
            co_await stream_events(std::move(answer), request, stream);
            co_return;
        }
        if (answer.events) {
            answer = {503, "text/plain", "too many listen already\n", {{"Retry-After", "10"}}};
        }
        Response response = to_message(std::move(answer), request);
        const bool last = read_error || !request.keep_alive() ||
                          count == state->limits.requests_per_connection_max;
        response.keep_alive(!last);
        http::response_serializer<http::string_body> serializer(response);
        auto [write_error, written] = co_await http::async_write(stream, serializer, as_result);
        if (write_error || last) co_return;
    }
}

asio::awaitable<void> serve_connection(StatePtr state, tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    const Counted counted(state->connections);
    co_await converse(state, stream);
    beast::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> accept_connections(StatePtr state) {
    asio::steady_timer pause(state->acceptor.get_executor());
    while (!state->closed) {
        auto [error, socket] = co_await state->acceptor.async_accept(as_result);
        if (state->closed) co_return;
        if (error) {
            // Out of descriptors, for instance: trying again at once would only burn the processor.
            pause.expires_after(std::chrono::milliseconds(100));
            co_await pause.async_wait(as_result);
            continue;
        }
        if (!make_room(*state)) continue;  // closes `socket`
        asio::co_spawn(
            state->acceptor.get_executor(),
            serve_connection(state, std::move(socket)),
            asio::detached
        );
    }
}

void close(const StatePtr& state) {
    if (!state) return;
    state->closed = true;
    beast::error_code ignored;
    state->acceptor.close(ignored);
}

std::string describe_listen_failure(
    const std::string& address, std::uint16_t port, const beast::error_code& error
) {
    const std::string where = fmt::format("{}:{}", address, port);
    if (error == asio::error::address_in_use) {
        return fmt::format(
            "TCP {} is taken by another program: `ss -tlpn 'sport = :{}'` names it", where, port
        );
    }
    return fmt::format("cannot listen on TCP {}: {}", where, error.message());
}

}  // namespace

HttpListener::HttpListener(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpListener::~HttpListener() {
    close(state_);
}

HttpListener::HttpListener(HttpListener&&) noexcept = default;

HttpListener& HttpListener::operator=(HttpListener&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}

std::uint16_t HttpListener::port() const {
    beast::error_code ignored;
    return state_->acceptor.local_endpoint(ignored).port();
}

Result<HttpListener> HttpListener::open(
    Loop& loop,
    const std::string& address,
    std::uint16_t port,
    HttpHandler handler,
    HttpLimits limits
) {
    beast::error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) return fail(fmt::format("'{}' is not an IP address to listen on", address));

    auto state = std::make_shared<State>(loop.impl().context, std::move(handler), limits);
    const tcp::endpoint endpoint(ip, port);
    state->acceptor.open(endpoint.protocol(), error);
    // TCP only: lets a restart bind while old connections end; it admits no second listener.
    if (!error) state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) state->acceptor.bind(endpoint, error);
    if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(describe_listen_failure(address, port, error));
    asio::co_spawn(loop.impl().context, accept_connections(state), asio::detached);
    return HttpListener(std::move(state));
}

}  // namespace bramble::io
