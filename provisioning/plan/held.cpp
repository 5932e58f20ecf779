#include "provisioning/plan/held.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace bramble::plan {
namespace {

using Owners = std::map<std::string, const layout::BoardEntry*>;

// By which a board is known on the wire.
std::vector<std::string> marks_of(const layout::BoardEntry& board) {
    std::vector<std::string> marks;
    if (board.serial) marks.push_back("serial " + board.serial->to_string());
    if (board.mac) marks.push_back("MAC " + board.mac->to_string());
    if (board.address) marks.push_back("address " + board.address->to_string());
    return marks;
}

std::vector<std::string> clashes_of(
    const layout::Manifest& wanted, const std::set<std::string>& held
) {
    Owners owners;
    for (const layout::BoardEntry& board : wanted.boards) {
        if (held.contains(board.name)) continue;
        for (std::string& mark : marks_of(board)) owners.emplace(std::move(mark), &board);
    }
    std::vector<std::string> clashes;
    for (const layout::BoardEntry& board : wanted.boards) {
        if (!held.contains(board.name)) continue;
        for (const std::string& mark : marks_of(board)) {
            const auto other = owners.find(mark);
            if (other == owners.end()) continue;
            clashes.push_back(fmt::format(
                "board '{}' keeps what it had, and its {} is to be that of board '{}': apply both "
                "together",
                board.name,
                mark,
                other->second->name
            ));
        }
    }
    return clashes;
}

}  // namespace

std::vector<std::string> hold_boards(
    layout::Manifest& wanted,
    const std::optional<layout::Manifest>& current,
    const std::set<std::string>& held,
    const std::set<std::string>& incomplete
) {
    for (const std::string& profile : incomplete) {
        const bool used =
            std::any_of(wanted.boards.begin(), wanted.boards.end(), [&](const auto& board) {
                return board.tree == profile;
            });
        if (!used) wanted.trees.erase(profile);
        if (used || !current) continue;
        const auto kept = current->trees.find(profile);
        if (kept != current->trees.end()) wanted.trees[profile] = kept->second;
    }
    // Somebody's change is not applied yet, and `status` says so.
    wanted.fleet = current ? current->fleet : Digest{};
    if (!current) return {};
    for (const layout::BoardEntry& entry : current->boards) {
        if (!held.contains(entry.name)) continue;
        layout::BoardEntry kept = entry;
        const auto tree = current->trees.find(entry.tree);
        if (tree != current->trees.end()) {
            const auto there = wanted.trees.find(entry.tree);
            if (there != wanted.trees.end() && there->second != tree->second) {
                kept.tree = fmt::format("{}@{}", entry.profile, current->generation);
            }
            wanted.trees.emplace(kept.tree, tree->second);
        }
        wanted.boards.push_back(std::move(kept));
    }
    std::sort(wanted.boards.begin(), wanted.boards.end(), [](const auto& a, const auto& b) {
        return a.name < b.name;
    });
    return clashes_of(wanted, held);
}

}  // namespace bramble::plan
