#include "services/bramble/status_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <vector>

namespace bramble::program {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
    if (value == nullptr || value->is_null()) return "-";
    if (value->is_string()) {
        const auto& text = value->get_string();
        return text.empty() ? "-" : std::string(text.data(), text.size());
    }
    return json::serialize(*value);
}

constexpr std::array<std::string_view, 5> columns = {
    "name", "address", "state", "generation", "diagnosis"};

std::string render_table(const json::array& boards) {
    std::vector<std::array<std::string, columns.size()>> rows(1);
    for (std::size_t i = 0; i < columns.size(); ++i) rows[0][i] = columns[i];
    for (const json::value& board : boards) {
        if (!board.is_object()) continue;
        auto& row = rows.emplace_back();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            row[i] = text_of(board.get_object(), columns[i]);
        }
    }
    std::array<std::size_t, columns.size()> widths{};
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += fmt::format("{:<{}}", row[i], i + 1 < row.size() ? widths[i] + 2 : 0);
        }
        out += line + "\n";
    }
    return out;
}

}  // namespace

Result<std::string> render_status(std::string_view text) {
    json::error_code error;
    const json::value parsed = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) {
        return fail("serve's answer is not the status that this program reads (another version?)");
    }
    const json::object& status = parsed.get_object();
    std::string out = fmt::format("generation {}\n", text_of(status, "generation"));
    if (const std::string failure = text_of(status, "reload_error"); failure != "-") {
        out += "THE LAST RELOAD FAILED, everything is served as before:\n" + failure;
        if (out.back() != '\n') out += '\n';
    }
    const json::value* boards = status.if_contains("boards");
    if (boards != nullptr && boards->is_array()) out += render_table(boards->get_array());
    return out;
}

}  // namespace bramble::program
