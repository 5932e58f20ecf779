// Small readings of text that the value types and the fleet file share: hex digits, sizes,
// durations, near misses. It refuses to know keys and files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/types/result.hpp"
#include "config/types/time_point.hpp"

namespace bramble {

constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// "64MiB", "512KiB", "2GiB", "1Gbit" is not a size. A bare number is bytes. Errors: other units,
// overflow of 64 bits.
[[nodiscard]] Result<std::uint64_t> parse_size_bytes(std::string_view text);

// "1Gbit", "940Mbit", "100kbit": bits per second. Errors: other units, zero, more than 1000 Gbit.
[[nodiscard]] Result<std::uint64_t> parse_rate(std::string_view text);

// "90s", "500ms", "15m", "1h", "7d": one number, one unit. Errors: a missing unit, more than 10
// years.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// "1h 5m", "7.3 s", "210 ms": for people; two units at the most.
std::string describe(Duration duration);

// Of an estimate, where a tenth of a second says more than is known: "7 s".
std::string describe_roughly(Duration duration);

// "2.3 MB", "512 B": decimal units, as network people count.
std::string describe_bytes(std::uint64_t bytes);

// The candidate within a small edit distance of `word` (at most a third of its length), nearest
// first; none when nothing is near.
std::optional<std::string_view> nearest(
    std::string_view word, std::span<const std::string_view> candidates
);

}  // namespace bramble
