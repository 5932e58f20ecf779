#include "provisioning/apply/only.hpp"

#include <fmt/format.h>

#include "config/types/text.hpp"

namespace bramble::apply {

Result<fleet::Fleet> part_of(const fleet::Fleet& fleet, const std::set<std::string>& only) {
    fleet::Fleet part = fleet;
    if (only.empty()) return part;
    std::vector<std::string_view> known;
    for (const fleet::Board& board : fleet.boards) known.emplace_back(board.name);
    for (const std::string& name : only) {
        if (fleet.find_board(name) != nullptr) continue;
        const auto near = nearest(name, known);
        return fail(fmt::format(
            "--only: the fleet file has no board '{}'{}",
            name,
            near ? fmt::format(" (did you mean '{}'?)", *near) : std::string()
        ));
    }
    std::erase_if(part.boards, [&](const fleet::Board& board) {
        return !only.contains(board.name);
    });
    // Nor is anything made for boards that nobody knows yet.
    part.appliance.unknown_boards = fleet::HoldUnknown{};
    return part;
}

void hold_others(
    plan::Observed& observed, const fleet::Fleet& fleet, const std::set<std::string>& only
) {
    if (only.empty()) return;
    const auto hold = [&](const std::string& board) {
        if (!only.contains(board)) observed.held.insert(board);
    };
    for (const fleet::Board& board : fleet.boards) hold(board.name);
    if (!observed.current) return;
    for (const layout::BoardEntry& board : observed.current->boards) hold(board.name);
}

}  // namespace bramble::apply
