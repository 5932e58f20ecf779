#include "services/io/http_client.hpp"

#include <fmt/core.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <exception>

namespace bramble::io {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

asio::awaitable<HttpResponse> converse(const HttpCall& call) {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
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

    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(HttpCall::response_bytes_max);
    co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
    HttpResponse response;
    response.status = parser.get().result_int();
    const auto type = parser.get()[http::field::content_type];
    response.content_type.assign(type.data(), type.size());
    response.body = std::move(parser.get().body());
    co_return response;
}

}  // namespace

Result<HttpResponse> call_http(const HttpCall& call) {
    asio::io_context context;
    HttpResponse response;
    std::exception_ptr failure;
    asio::co_spawn(context, converse(call), [&](std::exception_ptr thrown, HttpResponse answer) {
        failure = std::move(thrown);
        response = std::move(answer);
    });
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

}  // namespace bramble::io
