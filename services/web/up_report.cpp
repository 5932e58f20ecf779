#include "services/web/up_report.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "config/layout/up_report.hpp"

namespace bramble::web {
namespace {

UpReport refuse(unsigned status, std::string text) {
    UpReport report;
    report.response.status = status;
    report.response.body = std::move(text);
    return report;
}

const fleet::Board* find(const fleet::Fleet& fleet, std::string_view name_or_serial) {
    if (const fleet::Board* board = fleet.find_board(name_or_serial)) return board;
    const auto serial = Serial::parse(name_or_serial);
    if (!serial) return nullptr;
    const auto found =
        std::find_if(fleet.boards.begin(), fleet.boards.end(), [&](const fleet::Board& board) {
            return board.serial == *serial;
        });
    return found == fleet.boards.end() ? nullptr : &*found;
}

}  // namespace

UpReport answer_up_report(
    const Request& request, const fleet::Fleet& fleet, std::string_view board_at_source
) {
    const std::string_view target = request.target;
    const std::string_view path = target.substr(0, target.find('?'));
    const auto heartbeat = layout::board_of_heartbeat(path);
    const auto name = heartbeat ? heartbeat : layout::board_of_up_report(path);
    if (!name) return refuse(404, "boards report PUT /v1/boards/NAME/up here\n");
    if (request.method != "PUT") {
        UpReport report = refuse(405, "PUT reports that the board is up\n");
        report.response.headers.emplace_back("Allow", "PUT");
        return report;
    }
    const fleet::Board* board = find(fleet, *name);
    // One answer for a board that is not there and for one that is somebody else: who guesses
    // learns nothing.
    if (board == nullptr || board_at_source.empty() || board->name != board_at_source) {
        return refuse(403, "this address is not that board's\n");
    }
    UpReport report;
    report.response.status = 204;
    report.board = board->name;
    report.heartbeat = heartbeat.has_value();
    return report;
}

ReportBody read_report_body(std::string_view body) {
    constexpr std::size_t release_bytes_max = 64;  // __NEW_UTS_LEN
    ReportBody out;
    while (!body.empty()) {
        const auto end = body.find('\n');
        std::string_view line = body.substr(0, end);
        body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
        const auto value = [&line](std::string_view key) -> std::optional<std::string_view> {
            if (!line.starts_with(key)) return std::nullopt;
            return line.substr(key.size());
        };
        if (const auto kernel = value("kernel="); kernel && kernel->size() <= release_bytes_max) {
            const bool is_text =
                std::ranges::all_of(*kernel, [](char c) { return c > ' ' && c < 0x7f; });
            if (is_text) out.kernel = *kernel;
        }
        if (const auto seconds = value("heartbeat=")) {
            std::uint32_t number = 0;
            const char* last = seconds->data() + seconds->size();
            const auto [stop, error] = std::from_chars(seconds->data(), last, number);
            const Duration every = std::chrono::seconds(number);
            const bool sensible = error == std::errc() && stop == last &&
                                  every >= ReportBody::heartbeat_min &&
                                  every <= ReportBody::heartbeat_max;
            if (sensible) out.heartbeat = every;
        }
    }
    return out;
}

}  // namespace bramble::web
