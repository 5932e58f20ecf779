#include "services/wire_board/up_report.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "config/types/ipv4.hpp"
#include "services/wire_board/wire.hpp"

namespace bramble::wire_board {
namespace {

constexpr timeval http_timeout{10, 0};

struct Url {
    Ipv4Address address;
    std::uint16_t port = 80;
    std::string authority;
    std::string path;
};

std::optional<Url> parse_url(const std::string& text) {
    if (!text.starts_with("http://")) return std::nullopt;
    const auto slash = text.find('/', 7);
    if (slash == std::string::npos) return std::nullopt;
    Url url;
    url.authority = text.substr(7, slash - 7);
    url.path = text.substr(slash);
    const auto colon = url.authority.find(':');
    const auto address = Ipv4Address::parse(url.authority.substr(0, colon));
    if (!address) return std::nullopt;
    url.address = *address;
    if (colon == std::string::npos) return url;
    const char* end = url.authority.data() + url.authority.size();
    const auto read = std::from_chars(url.authority.data() + colon + 1, end, url.port);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return url;
}

}  // namespace

std::string up_url_in(const std::string& script) {
    const auto at = script.find("\nurl='");
    if (at == std::string::npos) return "";
    const auto begin = at + 6;
    return script.substr(begin, script.find('\'', begin) - begin);
}

Result<void> report_up(
    const std::string& url_text, const std::string& hostname, const std::string& cmdline
) {
    const auto url = parse_url(url_text);
    if (!url) return fail(fmt::format("'{}' is not http://ADDRESS[:PORT]/…", url_text));
    const Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &http_timeout, sizeof http_timeout);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &http_timeout, sizeof http_timeout);
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(url->port);
    there.sin_addr.s_addr = htonl(url->address.value());
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) {
        return fail(fmt::format("{}: {}", url_text, std::strerror(errno)));
    }
    const std::string body = fmt::format("hostname={}\ncmdline={}\n", hostname, cmdline);
    const std::string request = fmt::format(
        "PUT {} HTTP/1.1\r\nHost: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
        "Connection: close\r\n\r\n{}",
        url->path,
        url->authority,
        body.size(),
        body
    );
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
        return fail(fmt::format("{}: {}", url_text, std::strerror(errno)));
    }
    std::string answer(512, '\0');
    const ssize_t got = ::recv(fd.get(), answer.data(), answer.size(), 0);
    answer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (answer.starts_with("HTTP/1.1 2") || answer.starts_with("HTTP/1.0 2")) return {};
    return fail(fmt::format("{}: {}", url_text, answer.substr(0, answer.find('\r'))));
}

}  // namespace bramble::wire_board
