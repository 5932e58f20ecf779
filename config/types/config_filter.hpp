// A filter of config.txt, "[pi4]", and what of a board it asks about (fact sheet 7.1). It refuses
// to know boards and what stands behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bramble {

// Filters of one kind replace each other, those of different kinds hold together.
enum class ConfigFilterKind {
    all,  // ends every other
    none,
    model,
    board_type,
    serial,
    gpio,     // a pin's level
    display,  // EDID=, HDMI:
    tryboot,
    expression,  // partition=, boot_count, bootvar0&, …
};

struct ConfigFilter {
    ConfigFilterKind kind = ConfigFilterKind::all;
    std::string model;         // "pi4", of a model's
    std::uint64_t number = 0;  // of a board type's and a serial's

    friend bool operator==(const ConfigFilter&, const ConfigFilter&) = default;
};

// "[pi4]", "[board-type=0x11]", "[0x1234abcd]", "[gpio4=1]", …, with its brackets and without
// blanks; none for what no firmware knows.
std::optional<ConfigFilter> parse_config_filter(std::string_view text);

}  // namespace bramble
