#include "services/tftp/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "services/bytes/byte_writer.hpp"

namespace bramble::tftp {
namespace {

enum class Known { blksize, timeout, tsize, windowsize };

struct KnownOption {
    std::string_view name;
    Known option;
    std::uint64_t min;
    std::uint64_t max;
};

constexpr std::array<KnownOption, 4> known_options = {{
    {"blksize", Known::blksize, blksize_min, blksize_limit},
    {"timeout", Known::timeout, 1, 255},
    {"tsize", Known::tsize, 0, UINT64_MAX},
    {"windowsize", Known::windowsize, 1, 65535},
}};

const KnownOption* find_known(std::string_view name) {
    for (const KnownOption& known : known_options) {
        const auto same = [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
        };
        if (std::equal(name.begin(), name.end(), known.name.begin(), known.name.end(), same)) {
            return &known;
        }
    }
    return nullptr;
}

// Decimal digits and nothing else: no sign, no blank, no overflow (T4).
std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
    return number;
}

void grant(
    Terms& terms, const KnownOption& known, std::uint64_t value, const OptionLimits& limits
) {
    switch (known.option) {
        case Known::blksize:
            // RFC 2348: the server may answer with a smaller size, never with a larger one.
            terms.blksize = static_cast<std::uint16_t>(
                std::min<std::uint64_t>(value, std::max(limits.blksize_max, blksize_min))
            );
            terms.oack_blksize = true;
            break;
        case Known::timeout:
            // RFC 2349: the same value or no answer. A long one would let one forged request hold
            // its place for minutes.
            if (value > limits.timeout_max_s) break;
            terms.timeout = std::chrono::seconds(value);
            break;
        case Known::tsize:
            terms.oack_tsize = true;
            break;
        case Known::windowsize:
            // RFC 7440 §4: the server may answer with a smaller one.
            terms.windowsize = static_cast<std::uint16_t>(
                std::min<std::uint64_t>(value, std::max<std::uint16_t>(limits.windowsize_max, 1))
            );
            terms.oack_windowsize = true;
            break;
    }
}

void write_option(ByteWriter& writer, std::string_view name, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    writer.text(name);
    writer.u8(0);
    writer.text({digits.data(), static_cast<std::size_t>(end - digits.data())});
    writer.u8(0);
}

}  // namespace

Terms negotiate(std::span<const OptionText> options, const OptionLimits& limits) {
    Terms terms;
    for (const KnownOption& known : known_options) {
        const OptionText* asked = nullptr;
        bool twice = false;
        for (const OptionText& option : options) {
            if (find_known(option.name) != &known) continue;
            twice = twice || asked != nullptr;
            asked = &option;
        }
        if (asked == nullptr || twice) continue;
        const auto value = parse_number(asked->value);
        if (!value || *value < known.min || *value > known.max) continue;
        grant(terms, known, *value, limits);
    }
    return terms;
}

std::span<const std::byte> emit_oack(
    const Terms& terms, std::uint64_t file_bytes, std::span<std::byte> buffer
) {
    ByteWriter writer(buffer);
    writer.u16(static_cast<std::uint16_t>(Opcode::oack));
    if (terms.oack_tsize) write_option(writer, "tsize", file_bytes);
    if (terms.oack_blksize) write_option(writer, "blksize", terms.blksize);
    if (terms.timeout) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*terms.timeout);
        write_option(writer, "timeout", static_cast<std::uint64_t>(seconds.count()));
    }
    if (terms.oack_windowsize) write_option(writer, "windowsize", terms.windowsize);
    return writer.written();
}

}  // namespace bramble::tftp
