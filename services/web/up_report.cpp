#include "services/web/up_report.hpp"

#include <algorithm>

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
    const auto name = layout::board_of_up_report(target.substr(0, target.find('?')));
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
    return report;
}

}  // namespace bramble::web
