#include "config/types/serial.hpp"

#include <fmt/format.h>

#include "config/types/text.hpp"

namespace bramble {

Result<Serial> Serial::parse(std::string_view text) {
    std::uint64_t value = 0;
    bool valid = text.size() == 8 || text.size() == 16;
    for (const char c : text) {
        const int digit = hex_value(c);
        valid = valid && digit >= 0;
        value = value << 4U | static_cast<std::uint64_t>(digit & 0xf);
    }
    if (!valid) {
        return fail(
            fmt::format("'{}' is not a serial number (eight hex digits, like 5b154510)", text)
        );
    }
    return Serial(static_cast<std::uint32_t>(value));
}

std::string Serial::to_string() const {
    return fmt::format("{:08x}", value_);
}

}  // namespace bramble
