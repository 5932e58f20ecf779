// An Ethernet hardware address as a value. It refuses to know which board owns it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble {

class MacAddress {
public:
    static constexpr std::size_t size = 6;

    constexpr MacAddress() = default;

    explicit constexpr MacAddress(std::array<std::uint8_t, size> octets) : octets_(octets) {}

    // "dc:a6:32:01:02:03", also with dashes, any case. Errors: anything else, and the multicast bit
    // (no station has it).
    [[nodiscard]] static Result<MacAddress> parse(std::string_view text);

    constexpr const std::array<std::uint8_t, size>& octets() const { return octets_; }

    std::string to_string() const;     // dc:a6:32:01:02:03
    std::string with_dashes() const;   // dc-a6-32-01-02-03, the TFTP_PREFIX=2 form (fact sheet 2.4)
    bool is_raspberry_pi_oui() const;  // a hint only: OUIs are added over the years

    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

private:
    std::array<std::uint8_t, size> octets_{};
};

}  // namespace bramble

template <>
struct std::hash<bramble::MacAddress> {
    std::size_t operator()(const bramble::MacAddress& mac) const noexcept {
        std::uint64_t word = 0;
        for (std::uint8_t octet : mac.octets()) word = word << 8U | octet;
        return static_cast<std::size_t>(word * 0x9E3779B97F4A7C15ULL >> 7U);
    }
};
