#include "services/io/http_client.hpp"

#include <fmt/core.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/none.hpp>
#include <exception>
#include <utility>

namespace bramble::io {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

asio::awaitable<void> send_request(const HttpCall& call, beast::tcp_stream& stream) {
    stream.expires_after(call.timeout);
    const asio::ip::tcp::endpoint server(asio::ip::make_address(call.address), call.port);
    co_await stream.async_connect(server, asio::use_awaitable);

    http::request<http::string_body> request;
    request.method_string(call.method);
    request.target(call.target);
    request.set(http::field::host, call.address);
    if (!call.bearer_token.empty()) {
        request.set(http::field::authorization, "Bearer " + call.bearer_token);
    }
    request.keep_alive(false);
    request.body() = call.body;
    request.prepare_payload();
    co_await http::async_write(stream, request, asio::use_awaitable);
}

template <typename Body>
HttpResponse header_of(const http::response<Body>& message) {
    HttpResponse response;
    response.status = message.result_int();
    const auto type = message[http::field::content_type];
    response.content_type.assign(type.data(), type.size());
    return response;
}

asio::awaitable<HttpResponse> converse(const HttpCall& call) {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    co_await send_request(call, stream);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(HttpCall::response_bytes_max);
    co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
    HttpResponse response = header_of(parser.get());
    response.body = std::move(parser.get().body());
    co_return response;
}

asio::awaitable<HttpResponse> follow(
    const HttpCall& call, Duration silence_max, const std::function<bool(std::string_view)>& on_body
) {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    co_await send_request(call, stream);
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    co_await http::async_read_header(stream, buffer, parser, asio::use_awaitable);
    HttpResponse response = header_of(parser.get());
    std::array<char, 4096> piece{};
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        stream.expires_after(silence_max);
        const auto [error, bytes] = co_await http::async_read_some(
            stream, buffer, parser, asio::as_tuple(asio::use_awaitable)
        );
        if (error && error != http::error::need_buffer) throw boost::system::system_error(error);
        const std::string_view text(piece.data(), piece.size() - parser.get().body().size);
        if (response.status == 200) {
            if (!text.empty() && !on_body(text)) break;
        } else {
            response.body += text;
            if (response.body.size() > HttpCall::response_bytes_max) break;
        }
    }
    co_return response;
}

Result<HttpResponse> run(const HttpCall& call, asio::awaitable<HttpResponse> conversation) {
    asio::io_context context;
    HttpResponse response;
    std::exception_ptr failure;
    asio::co_spawn(
        context,
        std::move(conversation),
        [&](std::exception_ptr thrown, HttpResponse answer) {
            failure = std::move(thrown);
            response = std::move(answer);
        }
    );
    context.run();
    if (!failure) return response;
    // Beast and coroutines throw; this is the border where that ends.
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return fail(fmt::format("{}:{}: {}", call.address, call.port, error.code().message()));
    } catch (const std::exception& error) {
        return fail(fmt::format("{}:{}: {}", call.address, call.port, error.what()));
    }
}

}  // namespace

Result<HttpResponse> call_http(const HttpCall& call) {
    return run(call, converse(call));
}

Result<HttpResponse> follow_http(
    const HttpCall& call, Duration silence_max, std::function<bool(std::string_view)> on_body
) {
    return run(call, follow(call, silence_max, on_body));
}

}  // namespace bramble::io
