#include "config/types/mac_address.hpp"

#include <fmt/format.h>

#include "config/types/text.hpp"

namespace bramble {

Result<MacAddress> MacAddress::parse(std::string_view text) {
    const auto refuse = [text] {
        return fail(fmt::format("'{}' is not a MAC address (write it like dc:a6:32:01:02:03)", text)
        );
    };
    if (text.size() != 17) return refuse();
    const char separator = text[2];
    if (separator != ':' && separator != '-') return refuse();
    std::array<std::uint8_t, size> octets{};
    for (std::size_t i = 0; i < size; ++i) {
        const int high = hex_value(text[3 * i]);
        const int low = hex_value(text[3 * i + 1]);
        if (high < 0 || low < 0) return refuse();
        if (i + 1 < size && text[3 * i + 2] != separator) return refuse();
        octets[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    if ((octets[0] & 1U) != 0) {
        return fail(fmt::format("'{}' is a multicast address, no board has it as its own", text));
    }
    return MacAddress(octets);
}

std::string MacAddress::to_string() const {
    return fmt::format("{:02x}", fmt::join(octets_, ":"));
}

std::string MacAddress::with_dashes() const {
    return fmt::format("{:02x}", fmt::join(octets_, "-"));
}

bool MacAddress::is_raspberry_pi_oui() const {
    const std::uint32_t oui =
        std::uint32_t{octets_[0]} << 16U | std::uint32_t{octets_[1]} << 8U | octets_[2];
    // Registered to Raspberry Pi Foundation / Trading / Ltd (IEEE MA-L).
    constexpr std::array<std::uint32_t, 6> known = {
        0xb827eb, 0xdca632, 0xe45f01, 0x28cdc1, 0xd83add, 0x2ccf67};
    for (const std::uint32_t entry : known) {
        if (oui == entry) return true;
    }
    return false;
}

}  // namespace bramble
