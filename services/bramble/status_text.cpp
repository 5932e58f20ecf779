#include "services/bramble/status_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <vector>

#include "services/bramble/json_reading.hpp"

namespace bramble::program {
namespace {

namespace json = boost::json;

using Row = std::vector<std::string>;

const Row headings = {"board", "address", "condition", "phase", "generation", "what for"};

const json::object* boot_of(const json::object& board) {
    return find_object(board, "boot");
}

std::string phase_of(const json::object& board) {
    if (text_of(board, "condition") == "up") return "up";
    const json::object* boot = boot_of(board);
    return boot == nullptr ? "-" : text_of(*boot, "phase");
}

// Where it stands in the queue now; what it was told when it asked last is older.
std::string place_of(const json::object& board) {
    const json::object* queue = find_object(board, "queue");
    if (queue == nullptr) return "";
    return fmt::format(
        "number {} in the queue, its turn comes in about {:.0f} s",
        text_of(*queue, "position"),
        std::max(1.0, std::ceil(number_of(*queue, "expected_in_seconds")))
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
    if (text_of(board, "condition") == "silent") row[5] = text_of(board, "diagnosis");
    if (const std::string place = place_of(board); !place.empty()) row[5] = place;
    return row;
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
    for_each_object(server, "foreign_servers", [&out](const json::object& foreign) {
        const std::string mac = text_of(foreign, "mac");
        out += fmt::format(
            "ANOTHER DHCP SERVER ANSWERS ON THIS WIRE, {}{}: boards may take its offers; switch it "
            "off, or set dhcp: {{mode: proxy}}\n",
            text_of(foreign, "address"),
            mac == "-" ? "" : fmt::format(" (MAC {})", mac)
        );
    });
    return out;
}

}  // namespace

Result<std::string> render_status(std::string_view server_text, std::string_view boards_text) {
    const auto server = parse_object(server_text);
    if (!server) return tl::unexpected(server.error());
    const auto boards = parse_object(boards_text);
    if (!boards) return tl::unexpected(boards.error());

    std::vector<Row> rows = {headings};
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

std::string fit_screen(std::string_view text, std::size_t rows, std::size_t columns) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, std::min(end, columns)));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    const std::size_t room = std::max<std::size_t>(rows, 3) - 1;  // the cursor stands in the last
    if (lines.size() > room) {
        const std::size_t hidden = lines.size() - (room - 1);
        lines.resize(room - 1);
        lines.push_back(fmt::format("... and {} lines more, for a larger window", hidden));
    }
    std::string out;
    for (const std::string& line : lines) out += line + "\n";
    return out;
}

}  // namespace bramble::program
