#include "config/types/ipv4.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace bramble {
namespace {

// A decimal number of one to three digits without leading zeros, taken off the front of `text`.
std::optional<unsigned> take_number(std::string_view& text, unsigned max) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || value > max || length > 3 || (length > 1 && text.front() == '0'))
        return std::nullopt;
    text.remove_prefix(length);
    return value;
}

std::optional<Ipv4Address> take_address(std::string_view& text) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        if (i > 0) {
            if (!text.starts_with('.')) return std::nullopt;
            text.remove_prefix(1);
        }
        const auto octet = take_number(text, 255);
        if (!octet) return std::nullopt;
        value = value << 8U | *octet;
    }
    return Ipv4Address(value);
}

}  // namespace

Result<Ipv4Address> Ipv4Address::parse(std::string_view text) {
    std::string_view rest = text;
    const auto address = take_address(rest);
    if (!address || !rest.empty())
        return fail(fmt::format("'{}' is not an IPv4 address (like 172.16.1.3)", text));
    return *address;
}

std::string Ipv4Address::to_string() const {
    return fmt::format("{}", fmt::join(octets(), "."));
}

Result<Ipv4Network> Ipv4Network::parse(std::string_view text) {
    std::string_view rest = text;
    const auto address = take_address(rest);
    if (address && rest.starts_with('/')) {
        rest.remove_prefix(1);
        const auto bits = take_number(rest, 30);
        if (bits && *bits >= 1 && rest.empty()) return Ipv4Network(*address, *bits);
    }
    return fail(fmt::format("'{}' is not an address with its network (like 172.16.1.1/24)", text));
}

std::string Ipv4Network::to_string() const {
    return fmt::format("{}/{}", address_.to_string(), prefix_bits_);
}

}  // namespace bramble
