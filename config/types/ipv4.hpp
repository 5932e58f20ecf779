// IPv4 addresses and networks as values, in host order inside and as octets at the edges. They
// refuse to know interfaces and sockets.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble {

class Ipv4Address {
public:
    constexpr Ipv4Address() = default;

    explicit constexpr Ipv4Address(std::uint32_t host_order) : value_(host_order) {}

    explicit constexpr Ipv4Address(std::array<std::uint8_t, 4> octets)
        : value_(
              std::uint32_t{octets[0]} << 24U | std::uint32_t{octets[1]} << 16U |
              std::uint32_t{octets[2]} << 8U | octets[3]
          ) {}

    static constexpr Ipv4Address broadcast() { return Ipv4Address(0xffffffffU); }

    // A dotted quad without leading zeros. Errors: anything else.
    [[nodiscard]] static Result<Ipv4Address> parse(std::string_view text);

    constexpr std::uint32_t value() const { return value_; }

    constexpr std::array<std::uint8_t, 4> octets() const {
        return {
            static_cast<std::uint8_t>(value_ >> 24U),
            static_cast<std::uint8_t>(value_ >> 16U),
            static_cast<std::uint8_t>(value_ >> 8U),
            static_cast<std::uint8_t>(value_)};
    }

    constexpr bool is_set() const { return value_ != 0; }  // RFC 2131 uses 0.0.0.0 for "not known"

    std::string to_string() const;

    friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;

private:
    std::uint32_t value_ = 0;
};

// An interface's address with its prefix: 172.16.1.1/24.
class Ipv4Network {
public:
    constexpr Ipv4Network() = default;

    constexpr Ipv4Network(Ipv4Address address, unsigned prefix_bits)
        : address_(address), prefix_bits_(prefix_bits) {}

    // "172.16.1.1/24", prefix 1 to 30. Errors: anything else, a missing prefix among them.
    [[nodiscard]] static Result<Ipv4Network> parse(std::string_view text);

    constexpr Ipv4Address address() const { return address_; }

    constexpr unsigned prefix_bits() const { return prefix_bits_; }

    constexpr Ipv4Address mask() const {
        return Ipv4Address(prefix_bits_ == 0 ? 0U : 0xffffffffU << (32U - prefix_bits_));
    }

    constexpr Ipv4Address network() const { return Ipv4Address(address_.value() & mask().value()); }

    constexpr Ipv4Address broadcast() const {
        return Ipv4Address(address_.value() | ~mask().value());
    }

    constexpr bool contains(Ipv4Address candidate) const {
        return (candidate.value() & mask().value()) == network().value();
    }

    // Whether a station may have this address: inside, and neither the network's own nor its
    // broadcast address.
    constexpr bool has_host(Ipv4Address candidate) const {
        return contains(candidate) && candidate != network() && candidate != broadcast();
    }

    std::string to_string() const;

    friend constexpr bool operator==(const Ipv4Network&, const Ipv4Network&) = default;

private:
    Ipv4Address address_;
    unsigned prefix_bits_ = 0;
};

// An address range, both ends belong to it.
struct Ipv4Range {
    Ipv4Address from;
    Ipv4Address to;

    constexpr bool contains(Ipv4Address candidate) const {
        return from <= candidate && candidate <= to;
    }

    constexpr std::uint64_t count() const { return std::uint64_t{to.value()} - from.value() + 1; }

    friend constexpr bool operator==(const Ipv4Range&, const Ipv4Range&) = default;
};

}  // namespace bramble

template <>
struct std::hash<bramble::Ipv4Address> {
    std::size_t operator()(bramble::Ipv4Address address) const noexcept {
        return static_cast<std::size_t>(address.value() * 0x9E3779B97F4A7C15ULL >> 16U);
    }
};
