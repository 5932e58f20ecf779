#include "config/types/config_filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace bramble {
namespace {

using Kind = ConfigFilterKind;

constexpr std::array<std::string_view, 18> models = {
    "pi0",
    "pi0w",
    "pi02",
    "pi1",
    "pi2",
    "pi3",
    "pi3+",
    "pi4",
    "pi400",
    "pi5",
    "pi500",
    "cm1",
    "cm3",
    "cm3+",
    "cm4",
    "cm4s",
    "cm5",
    "cm0"};

// Newer firmware: NAME=N, NAME<N, NAME>N, NAME&N, NAME&N=N.
constexpr std::array<std::string_view, 6> variables = {
    "partition", "boot_partition", "boot_count", "boot_arg1", "bootvar0", "cust_otp"};

std::optional<std::uint64_t> number(std::string_view text) {
    const bool hex = text.starts_with("0x");
    if (hex) text.remove_prefix(2);
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value, hex ? 16 : 10);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return value;
}

bool is_expression(std::string_view text) {
    const auto name_end = text.find_first_of("=<>&");
    if (name_end == text.npos) return false;
    std::string_view name = text.substr(0, name_end);
    if (name.starts_with("cust_otp")) name = "cust_otp";
    if (std::find(variables.begin(), variables.end(), name) == variables.end()) return false;
    std::string_view rest = text.substr(name_end + 1);
    const auto equals = text[name_end] == '&' ? rest.find('=') : rest.npos;
    if (equals != rest.npos && !number(rest.substr(equals + 1))) return false;
    return number(rest.substr(0, equals)).has_value();
}

bool is_gpio(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == text.npos || !text.starts_with("gpio")) return false;
    const auto pin = number(text.substr(4, equals - 4));
    const std::string_view level = text.substr(equals + 1);
    return pin && *pin < 64 && (level == "0" || level == "1");
}

}  // namespace

std::optional<ConfigFilter> parse_config_filter(std::string_view text) {
    if (text.size() < 3 || text.front() != '[' || text.back() != ']') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    if (text.find_first_of("[]# ") != text.npos) return std::nullopt;
    if (text == "all") return ConfigFilter{Kind::all, {}, 0};
    if (text == "none") return ConfigFilter{Kind::none, {}, 0};
    if (text == "tryboot") return ConfigFilter{Kind::tryboot, {}, 0};
    if (std::find(models.begin(), models.end(), text) != models.end()) {
        return ConfigFilter{Kind::model, std::string(text), 0};
    }
    constexpr std::string_view board_type = "board-type=";
    const bool is_type = text.starts_with(board_type);
    if (is_type || text.starts_with("0x")) {
        const auto value = number(is_type ? text.substr(board_type.size()) : text);
        if (!value) return std::nullopt;
        return ConfigFilter{is_type ? Kind::board_type : Kind::serial, {}, *value};
    }
    if (is_gpio(text)) return ConfigFilter{Kind::gpio, {}, 0};
    const bool is_display =
        (text.starts_with("EDID=") && text.size() > 5) || text == "HDMI:0" || text == "HDMI:1";
    if (is_display) return ConfigFilter{Kind::display, {}, 0};
    if (is_expression(text)) return ConfigFilter{Kind::expression, {}, 0};
    return std::nullopt;
}

}  // namespace bramble
