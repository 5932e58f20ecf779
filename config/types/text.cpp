#include "config/types/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <vector>

namespace bramble {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// A number followed by one of `units`. Errors: no digits, an unknown unit, a product beyond `max`.
std::optional<std::uint64_t> parse_with_unit(
    std::string_view text, std::span<const Unit> units, std::uint64_t max
) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const Unit& known : units) {
        if (known.name != unit) continue;
        if (number > max / known.factor) return std::nullopt;
        return number * known.factor;
    }
    return std::nullopt;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace

Result<std::uint64_t> parse_size_bytes(std::string_view text) {
    constexpr std::array<Unit, 5> units = {
        {{"", 1},
         {"KiB", 1ULL << 10U},
         {"MiB", 1ULL << 20U},
         {"GiB", 1ULL << 30U},
         {"TiB", 1ULL << 40U}}};
    if (const auto bytes = parse_with_unit(text, units, UINT64_MAX)) return *bytes;
    return fail(
        fmt::format("'{}' is not a size (a number with KiB, MiB, GiB or TiB, like 64MiB)", text)
    );
}

Result<std::uint64_t> parse_rate(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    std::uint64_t factor = 0;
    if (unit == "kbit") factor = 1'000;
    if (unit == "Mbit") factor = 1'000'000;
    if (unit == "Gbit") factor = 1'000'000'000;
    constexpr std::uint64_t bits_max = 1'000'000'000'000;
    if (error != std::errc{} || factor == 0 || number == 0 || number > bits_max / factor) {
        return fail(fmt::format(
            "'{}' is not a link's speed (a number with kbit, Mbit or Gbit, like 1Gbit)", text
        ));
    }
    return number * factor;
}

Result<Duration> parse_duration(std::string_view text) {
    constexpr std::uint64_t second = 1'000'000'000ULL;
    constexpr std::array<Unit, 5> units = {
        {{"ms", second / 1000},
         {"s", second},
         {"m", 60 * second},
         {"h", 3600 * second},
         {"d", 86400 * second}}};
    if (const auto ns = parse_with_unit(text, units, 3652ULL * 86400 * second)) {
        return Duration(static_cast<Duration::rep>(*ns));
    }
    return fail(
        fmt::format("'{}' is not a duration (a number with ms, s, m, h or d, like 90s or 1h)", text)
    );
}

std::string describe(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (ms < 1000) return fmt::format("{} ms", ms);
    if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
    const auto seconds = ms / 1000;
    if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
    if (seconds < 86400) return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
    return fmt::format("{}d {}h", seconds / 86400, seconds / 3600 % 24);
}

std::string describe_roughly(Duration duration) {
    using std::chrono::seconds;
    if (duration < seconds(1) || duration >= seconds(60)) return describe(duration);
    return fmt::format("{} s", std::chrono::round<seconds>(duration).count());
}

std::string describe_bytes(std::uint64_t bytes) {
    if (bytes < 1000) return fmt::format("{} B", bytes);
    constexpr std::array<std::string_view, 4> units = {"kB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    return fmt::format("{:.1f} {}", value, units[unit]);
}

std::optional<std::string_view> nearest(
    std::string_view word, std::span<const std::string_view> candidates
) {
    constexpr std::size_t word_max = 64;  // the distance costs the product of both lengths
    if (word.size() > word_max) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace bramble
