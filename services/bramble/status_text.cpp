#include "services/bramble/status_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <vector>

namespace bramble::program {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 6> columns = {
    "board", "address", "condition", "phase", "generation", "what for"};
using Row = std::array<std::string, columns.size()>;

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

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* value = find(object, key);
    if (value == nullptr || value->is_null()) return "-";
    if (!value->is_string()) return json::serialize(*value);
    const auto& text = value->get_string();
    return text.empty() ? "-" : std::string(text.data(), text.size());
}

const json::object* boot_of(const json::object& board) {
    const json::value* boot = find(board, "boot");
    return boot != nullptr && boot->is_object() ? &boot->get_object() : nullptr;
}

std::string phase_of(const json::object& board) {
    if (text_of(board, "condition") == "up") return "up";
    const json::object* boot = boot_of(board);
    return boot == nullptr ? "-" : text_of(*boot, "phase");
}

// Where it stands in the queue now; what it was told when it asked last is older.
std::string place_of(const json::object& board) {
    const json::value* queue = find(board, "queue");
    if (queue == nullptr || !queue->is_object()) return "";
    const json::value* in = find(queue->get_object(), "expected_in_seconds");
    json::error_code error;
    const double seconds = in != nullptr ? in->to_number<double>(error) : 0;
    return fmt::format(
        "number {} in the queue, its turn comes in about {:.0f} s",
        text_of(queue->get_object(), "position"),
        std::max(1.0, std::ceil(seconds))
    );
}

Row row_of(const json::object& board) {
    Row row = {
        text_of(board, "name"),
        text_of(board, "address"),
        text_of(board, "condition"),
        phase_of(board),
        "-",
        ""};
    if (const json::object* boot = boot_of(board)) {
        row[4] = text_of(*boot, "generation");
        for (const std::string_view key : {"diagnosis", "waiting_for"}) {
            if (find(*boot, key) != nullptr) row[5] = text_of(*boot, key);
        }
    }
    if (const std::string place = place_of(board); !place.empty()) row[5] = place;
    return row;
}

std::string render_table(const std::vector<Row>& rows) {
    std::array<std::size_t, columns.size()> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += fmt::format("{:<{}}  ", row[i], widths[i]);
        }
        out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
}

template <typename Each>
void for_each_object(const json::object& document, std::string_view key, Each each) {
    const json::value* list = find(document, key);
    if (list == nullptr || !list->is_array()) return;
    for (const json::value& value : list->get_array()) {
        if (value.is_object()) each(value.get_object());
    }
}

std::string render_admission(const json::object& server) {
    const json::value* found = find(server, "admission");
    if (found == nullptr || !found->is_object()) return "";
    const json::object& admission = found->get_object();
    if (text_of(admission, "enabled") != "true")
        return "admission is off: all boards boot at once\n";
    return fmt::format(
        "admission: {} of {} places taken, {} boards wait\n",
        text_of(admission, "inside"),
        text_of(admission, "capacity"),
        text_of(admission, "waiting")
    );
}

std::string render_server(const json::object& server) {
    std::string out = fmt::format(
        "bramble {} on {} ({}), generation {}, {} leases, {} transfers\n",
        text_of(server, "version"),
        text_of(server, "interface"),
        text_of(server, "address"),
        text_of(server, "generation"),
        text_of(server, "leases"),
        text_of(server, "open_transfers")
    );
    out += render_admission(server);
    if (text_of(server, "generation") == "0") {
        out += "nothing is published yet: run `sudo bramble apply`\n";
    }
    if (const std::string failure = text_of(server, "reload_error"); failure != "-") {
        out += "THE LAST RELOAD FAILED, everything is served as before:\n" + failure;
        if (out.back() != '\n') out += '\n';
    }
    return out;
}

}  // namespace

Result<std::string> render_status(std::string_view server_text, std::string_view boards_text) {
    const auto server = parse_object(server_text);
    if (!server) return tl::unexpected(server.error());
    const auto boards = parse_object(boards_text);
    if (!boards) return tl::unexpected(boards.error());

    std::vector<Row> rows(1);
    std::copy(columns.begin(), columns.end(), rows[0].begin());
    for_each_object(*boards, "boards", [&rows](const json::object& board) {
        rows.push_back(row_of(board));
    });
    std::string out = render_server(*server) + "\n" + render_table(rows);
    std::string strangers;
    for_each_object(*boards, "strangers", [&strangers](const json::object& stranger) {
        strangers += fmt::format(
            "  {} serial={} {}: {}\n",
            text_of(stranger, "mac"),
            text_of(stranger, "serial"),
            text_of(stranger, "kind"),
            text_of(stranger, "reason")
        );
    });
    if (!strangers.empty()) out += "\nasked without being in the fleet:\n" + strangers;
    return out;
}

Result<std::string> merge_status(std::string_view server_text, std::string_view boards_text) {
    auto server = parse_object(server_text);
    if (!server) return tl::unexpected(server.error());
    auto boards = parse_object(boards_text);
    if (!boards) return tl::unexpected(boards.error());
    if (json::value* counts = server->if_contains("boards")) (*server)["counts"] = *counts;
    json::array list;
    for_each_object(*boards, "boards", [&list](const json::object& board) {
        json::object entry = board;
        entry["phase"] = phase_of(board);
        list.push_back(std::move(entry));
    });
    (*server)["boards"] = std::move(list);
    if (json::value* strangers = boards->if_contains("strangers")) {
        (*server)["strangers"] = *strangers;
    }
    return json::serialize(*server);
}

}  // namespace bramble::program
