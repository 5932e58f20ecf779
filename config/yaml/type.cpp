#include "config/yaml/type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace bramble::yaml {
namespace {

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

std::string_view kind_name(Value::Kind kind) {
    switch (kind) {
        case Value::Kind::null:
            return "nothing";
        case Value::Kind::scalar:
            return "a single value";
        case Value::Kind::sequence:
            return "a list";
        case Value::Kind::mapping:
            return "a mapping";
    }
    return "something else";
}

bool is_url(std::string_view text) {
    return text.find("://") != std::string_view::npos;
}

json::object string_schema() {
    return {{"type", "string"}, {"minLength", 1}};
}

}  // namespace

bool expect_scalar(Reading& reading, const Value& value, std::string_view wanted) {
    if (value.kind == Value::Kind::scalar) return true;
    return reading.error(
        value, fmt::format("{} belongs here, this is {}", wanted, kind_name(value.kind))
    );
}

bool expect_list(Reading& reading, const Value& value) {
    if (value.kind == Value::Kind::sequence || value.kind == Value::Kind::null) return true;
    if (value.kind == Value::Kind::scalar) {
        return reading.error(
            value,
            fmt::format("a list belongs here, this is a single value (write [{:.64}])", value.text)
        );
    }
    return reading.error(
        value, "a list belongs here, this is a mapping (begin each entry with '- ')"
    );
}

bool expect_map(Reading& reading, const Value& value) {
    if (value.kind == Value::Kind::mapping || value.kind == Value::Kind::null) return true;
    return reading.error(
        value,
        fmt::format("a mapping belongs here, this is {} (write key: value)", kind_name(value.kind))
    );
}

Type<std::string> line(std::size_t size_max) {
    return {
        [size_max](Reading& reading, const Value& value, std::string& out) {
            if (!expect_scalar(reading, value, "a text")) return false;
            if (value.text.empty()) return reading.error(value, "an empty text means nothing here");
            if (value.text.size() > size_max) {
                return reading.error(
                    value, fmt::format("this text is too long (at most {} bytes)", size_max)
                );
            }
            if (std::ranges::any_of(value.text, is_control))
                return reading.error(
                    value, "this text must be one line without control characters"
                );
            out = value.text;
            return true;
        },
        // Unquoted numbers and words are texts here, whatever YAML makes of them elsewhere.
        {{"type", {"string", "number", "boolean"}}}};
}

Type<std::string> text_block() {
    constexpr std::size_t size_max = 64U << 10U;
    return {
        [](Reading& reading, const Value& value, std::string& out) {
            if (!expect_scalar(reading, value, "a text")) return false;
            if (value.text.empty()) return reading.error(value, "an empty text means nothing here");
            if (value.text.size() > size_max) {
                return reading.error(
                    value, fmt::format("this text is too long (at most {} KiB)", size_max >> 10U)
                );
            }
            out = value.text;
            return true;
        },
        string_schema()};
}

Type<std::string> line_like(
    std::string wanted, std::string pattern, std::function<bool(std::string_view)> accept
) {
    auto type = checked(
        line(),
        [wanted = std::move(wanted), accept = std::move(accept)](
            Reading& reading, const Value& value, const std::string& text
        ) {
            if (accept(text)) return true;
            return reading.error(value, fmt::format("'{:.64}' is not {}", text, wanted));
        }
    );
    type.schema = {{"type", "string"}};
    if (!pattern.empty()) type.schema["pattern"] = pattern;
    return type;
}

Type<std::string> name(std::string what) {
    return line_like(
        fmt::format("{} (letters, digits, '.', '_' and '-', up to 63)", what),
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        [](std::string_view text) {
            return text.size() <= 63 && is_name_character(text.front()) && text.front() != '.' &&
                   text.front() != '_' && text.front() != '-' &&
                   std::ranges::all_of(text, is_name_character);
        }
    );
}

Type<std::filesystem::path> path() {
    auto type = converted<std::filesystem::path>(
        line(),
        [](Reading& reading, const Value& value, const std::string& text, auto& out) {
            if (is_url(text))
                return reading.error(
                    value, "a path belongs here, this is a URL (download it first)"
                );
            out = reading.absolute(value, text);
            return true;
        }
    );
    type.schema = string_schema();
    return type;
}

Type<std::string> path_or_url() {
    auto type = converted<std::string>(
        line(),
        [](Reading& reading, const Value& value, const std::string& text, std::string& out) {
            if (!is_url(text)) {
                out = reading.absolute(value, text).string();
                return true;
            }
            if (!text.starts_with("https://") && !text.starts_with("http://"))
                return reading.error(value, "this kind of URL is not known (known: http, https)");
            out = text;
            return true;
        }
    );
    type.schema = string_schema();
    return type;
}

Type<std::filesystem::path> absolute_path() {
    auto type = converted<std::filesystem::path>(
        line(),
        [](Reading& reading, const Value& value, const std::string& text, auto& out) {
            const std::filesystem::path written(text);
            const bool climbs = std::ranges::find(written, "..") != written.end();
            if (!written.is_absolute() || climbs) {
                return reading.error(
                    value, fmt::format("'{:.64}' is not an absolute path without '..'", text)
                );
            }
            out = written.lexically_normal();
            return true;
        }
    );
    type.schema = {{"type", "string"}, {"pattern", "^/"}};
    return type;
}

Type<bool> boolean() {
    auto type = choice<bool>(
        "switch",
        {{"true", true},
         {"false", false},
         {"on", true},
         {"off", false},
         {"yes", true},
         {"no", false}}
    );
    type.schema = {{"anyOf", {{{"type", "boolean"}}, {{"enum", {"on", "off", "yes", "no"}}}}}};
    return type;
}

Type<std::uint64_t> whole_number(std::uint64_t min, std::uint64_t max) {
    return {
        [min, max](Reading& reading, const Value& value, std::uint64_t& out) {
            if (!expect_scalar(reading, value, "a whole number")) return false;
            std::uint64_t number = 0;
            const char* end = value.text.data() + value.text.size();
            const auto [stopped, error] = std::from_chars(value.text.data(), end, number);
            if (error != std::errc{} || stopped != end || number < min || number > max) {
                return reading.error(
                    value,
                    fmt::format(
                        "'{:.64}' is not a whole number from {} to {}", value.text, min, max
                    )
                );
            }
            out = number;
            return true;
        },
        {{"type", "integer"}, {"minimum", min}, {"maximum", max}}};
}

Type<Duration> duration(Duration min, Duration max) {
    return checked(
        parsed<Duration>(parse_duration, {{"type", "string"}, {"pattern", "^[0-9]+(ms|s|m|h|d)$"}}),
        [min, max](Reading& reading, const Value& value, Duration read) {
            if (read >= min && read <= max) return true;
            return reading.error(
                value,
                fmt::format(
                    "{:.64} is out of bounds (from {} to {})",
                    value.text,
                    describe(min),
                    describe(max)
                )
            );
        }
    );
}

std::string unknown_key(
    std::string_view key,
    std::string_view what,
    std::optional<std::string_view> meant,
    const std::vector<std::string_view>& known
) {
    const std::string message = fmt::format("unknown key '{:.64}' in {}", key, what);
    if (key == "<<")
        return message + " (merge keys are not read: a profile holds what boards share)";
    if (meant) return fmt::format("{} (did you mean '{}'?)", message, *meant);
    return fmt::format("{} (known: {})", message, fmt::join(known, ", "));
}

bool expect_one_of(
    Reading& reading,
    const Value& value,
    std::string_view what,
    const std::vector<std::string_view>& keys
) {
    const auto present = std::ranges::count_if(keys, [&value](std::string_view one) {
        return value.find(one) != nullptr;
    });
    if (present == 1) return true;
    return reading.error(
        value,
        fmt::format(
            "{} {} of these keys: {}",
            what,
            present == 0 ? "needs one" : "may have only one",
            fmt::join(keys, ", ")
        )
    );
}

json::object one_of_schema(json::object schema, const std::vector<std::string_view>& keys) {
    json::array forms;
    for (const std::string_view one : keys)
        forms.push_back(json::object{{"required", json::array{one}}});
    schema["oneOf"] = std::move(forms);
    schema["type"] = "object";
    return schema;
}

}  // namespace bramble::yaml
