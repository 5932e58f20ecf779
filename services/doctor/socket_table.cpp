#include "services/doctor/socket_table.hpp"

#include <charconv>
#include <optional>

namespace bramble::doctor {
namespace {

constexpr std::string_view tcp_listen = "0A";
constexpr std::size_t fields_wanted = 10;

// The fields of one line, by blanks.
std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> out;
    while (out.size() < fields_wanted) {
        const std::size_t begin = line.find_first_not_of(' ');
        if (begin == std::string_view::npos) break;
        const std::size_t end = std::min(line.find(' ', begin), line.size());
        out.push_back(line.substr(begin, end - begin));
        line.remove_prefix(end);
    }
    return out;
}

template <typename Number>
std::optional<Number> number(std::string_view text, int base) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// "0100007F:0045": the address as the machine's own word, which is little-endian wherever Bramble
// runs, and the port.
std::optional<BoundSocket> parse_line(std::string_view line, Transport transport) {
    const auto fields = fields_of(line);
    if (fields.size() < fields_wanted) return std::nullopt;
    const std::string_view local = fields[1];
    const std::size_t colon = local.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    if (transport == Transport::tcp && fields[3] != tcp_listen) return std::nullopt;
    const auto word = number<std::uint32_t>(local.substr(0, colon), 16);
    const auto port = number<std::uint16_t>(local.substr(colon + 1), 16);
    const auto inode = number<std::uint64_t>(fields[9], 10);
    if (!word || !port || !inode) return std::nullopt;
    const std::uint32_t address =
        (*word >> 24U) | ((*word >> 8U) & 0xff00U) | ((*word << 8U) & 0xff0000U) | (*word << 24U);
    return BoundSocket{transport, Ipv4Address(address), *port, *inode, {}};
}

}  // namespace

std::vector<BoundSocket> parse_socket_table(std::string_view table, Transport transport) {
    std::vector<BoundSocket> out;
    while (!table.empty() && out.size() < sockets_max) {
        const std::size_t end = std::min(table.find('\n'), table.size());
        if (auto socket = parse_line(table.substr(0, end), transport)) {
            out.push_back(std::move(*socket));
        }
        table.remove_prefix(std::min(end + 1, table.size()));
    }
    return out;
}

}  // namespace bramble::doctor
