#include "services/bramble/json_reading.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

namespace bramble::program {

namespace json = boost::json;

namespace {
constexpr double number_max = 1e15;
}  // namespace

Result<json::object> parse_object(std::string_view text) {
    json::error_code error;
    json::value parsed = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) {
        return fail("serve's answer is not the one that this program reads (another version?)");
    }
    return std::move(parsed.get_object());
}

const json::value* find(const json::object& object, std::string_view key) {
    return object.if_contains(json::string_view(key.data(), key.size()));
}

const json::object* find_object(const json::object& object, std::string_view key) {
    const json::value* value = find(object, key);
    return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* value = find(object, key);
    if (value == nullptr || value->is_null()) return "-";
    if (!value->is_string()) return json::serialize(*value);
    const auto& text = value->get_string();
    return text.empty() ? "-" : std::string(text.data(), text.size());
}

double number_of(const json::object& object, std::string_view key) {
    const json::value* value = find(object, key);
    json::error_code error;
    const double number = value != nullptr ? value->to_number<double>(error) : 0;
    return error ? 0 : std::clamp(number, -number_max, number_max);
}

std::string render_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += fmt::format("{:<{}}  ", row[i], widths[i]);
        }
        out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
}

}  // namespace bramble::program
