// The low 32 bits of a Raspberry Pi's serial number: what the EEPROM puts into option 97 and into
// the TFTP prefix. It refuses to know the board behind it.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/types/result.hpp"

namespace bramble {

class Serial {
public:
    constexpr Serial() = default;

    explicit constexpr Serial(std::uint32_t value) : value_(value) {}

    // Eight hex digits, "5b154510"; also the sixteen of /proc/cpuinfo, "100000005b154510", of which
    // the last eight count (fact sheet 2.4). Errors: any other length or character.
    [[nodiscard]] static Result<Serial> parse(std::string_view text);

    constexpr std::uint32_t value() const { return value_; }

    std::string to_string() const;  // zero-padded lower-case, as the firmware's "%08x"

    friend constexpr auto operator<=>(Serial, Serial) = default;

private:
    std::uint32_t value_ = 0;
};

}  // namespace bramble

template <>
struct std::hash<bramble::Serial> {
    std::size_t operator()(bramble::Serial serial) const noexcept {
        return std::hash<std::uint32_t>{}(serial.value());
    }
};
