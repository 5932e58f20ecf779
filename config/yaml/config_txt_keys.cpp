#include <fmt/format.h>

#include <algorithm>

#include "config/types/config_filter.hpp"
#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

bool is_printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// One line of config.txt as the firmware reads it: 98 bytes count, the rest is ignored (fact sheet
// 7.1).
bool check_config_line(Reading& reading, const Value& value, const ConfigEntry& entry) {
    constexpr std::size_t line_max = 98;
    if (!is_printable_ascii(entry.key) || !is_printable_ascii(entry.value))
        return reading.error(value, "config.txt must be plain ASCII on one line");
    if (entry.key.empty() || entry.key.find_first_of("=[]# ") != std::string::npos) {
        return reading.error(
            value, fmt::format("'{:.64}' is not a key of config.txt (like enable_uart)", entry.key)
        );
    }
    if (entry.key.size() + 1 + entry.value.size() > line_max) {
        return reading.error(
            value,
            fmt::format("the firmware reads {} bytes of a line, this one is longer", line_max)
        );
    }
    return true;
}

// Filters that stand inside of each other: more kinds than anybody needs at once.
constexpr std::size_t filters_together_max = 3;

// Its lines, and behind them the filters that held before: "[all]" ends every one.
class ConfigLines {
public:
    ConfigLines(Reading& reading, std::vector<ConfigEntry>& out) : reading_(reading), out_(out) {}

    bool read(const Value& value) {
        if (!expect_map(reading_, value)) return false;
        bool good = true;
        for (const Entry& entry : value.entries) {
            const Reading::Step step(reading_, "[" + entry.key + "]", entry.at);
            good = (entry.key.starts_with('[') ? filter(entry) : lines(entry)) && good;
        }
        return good;
    }

private:
    bool lines(const Entry& entry) {
        if (entry.value.kind != Value::Kind::sequence) return line(entry.key, entry.value);
        bool good = true;
        for (const Value& one : entry.value.items) good = line(entry.key, one) && good;
        return good;
    }

    bool line(const std::string& key, const Value& value) {
        if (value.kind != Value::Kind::null && !expect_scalar(reading_, value, "a value"))
            return false;
        ConfigEntry line{key, value.text};
        if (!check_config_line(reading_, value, line)) return false;
        out_.push_back(std::move(line));
        return true;
    }

    bool filter(const Entry& entry) {
        const auto parsed = parse_config_filter(entry.key);
        if (!parsed) {
            return reading_.error(
                Value{Value::Kind::scalar, entry.at, entry.key, {}, {}},
                fmt::format(
                    "'{:.64}' is not a filter of config.txt (like [all], [pi4], [cm4], "
                    "[board-type=0x11], [0x5b154510], [gpio4=1])",
                    entry.key
                )
            );
        }
        if (entry.value.kind == Value::Kind::scalar || entry.value.kind == Value::Kind::sequence) {
            return reading_.error(
                entry.value,
                fmt::format(
                    "a filter holds entries of its own (write \"{:.64}\": {{arm_freq: 1800}})",
                    entry.key
                )
            );
        }
        if (!check_together(entry, parsed->kind)) return false;
        held_.push_back({entry.key, parsed->kind});
        out_.push_back({entry.key, ""});
        const bool good = read(entry.value);
        held_.pop_back();
        out_.push_back({"[all]", ""});
        for (const auto& [outer, kind] : held_) out_.push_back({outer, ""});
        return good;
    }

    // Fact sheet 7.1: of one kind the last holds, and [all] ends all of them.
    bool check_together(const Entry& entry, ConfigFilterKind kind) {
        const Value key{Value::Kind::scalar, entry.at, entry.key, {}, {}};
        if (held_.size() == filters_together_max) {
            return reading_.error(
                key, fmt::format("more than {} filters inside of each other", filters_together_max)
            );
        }
        for (const auto& [outer, outer_kind] : held_) {
            if (outer_kind != kind && kind != ConfigFilterKind::all) continue;
            return reading_.error(
                key,
                fmt::format(
                    "'{:.64}' ends '{:.64}', in which it stands (write it beside)", entry.key, outer
                )
            );
        }
        return true;
    }

    Reading& reading_;
    std::vector<ConfigEntry>& out_;
    std::vector<std::pair<std::string, ConfigFilterKind>> held_;
};

bool read_config_txt(Reading& reading, const Value& value, std::vector<ConfigEntry>& out) {
    return ConfigLines(reading, out).read(value);
}

// Entries, and filters around entries.
json::object config_lines_schema(std::size_t filters) {
    const json::object one = {{"type", {"string", "number", "boolean", "null"}}};
    const json::object many = {{"type", "array"}, {"items", one}};
    json::object schema = {
        {"type", {"object", "null"}}, {"additionalProperties", {{"anyOf", {one, many}}}}};
    if (filters > 0) {
        schema["patternProperties"] = {{"^\\[", config_lines_schema(filters - 1)}};
    }
    return schema;
}

}  // namespace

Type<std::vector<ConfigEntry>> config_txt_type() {
    return {read_config_txt, config_lines_schema(filters_together_max)};
}

}  // namespace bramble::yaml
