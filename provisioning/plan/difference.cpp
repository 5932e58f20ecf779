#include "provisioning/plan/difference.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string_view>

namespace bramble::plan {
namespace {

constexpr std::size_t shown_max = 4;

std::vector<std::string> tree_differences(
    const layout::BootTree& before, const layout::BootTree& after
) {
    std::vector<std::string> found;
    for (const auto& [path, file] : after) {
        const auto old = before.find(path);
        if (old == before.end()) {
            found.push_back(path + " added");
        } else if (old->second != file) {
            found.push_back(path + " changed");
        }
    }
    for (const auto& [path, file] : before) {
        if (after.find(path) == after.end()) found.push_back(path + " removed");
    }
    return found;
}

std::vector<std::string> board_differences(
    const layout::BoardEntry& before, const layout::BoardEntry& after
) {
    std::vector<std::string> found = tree_differences(before.files, after.files);
    const auto say = [&](bool differs, const char* what) {
        if (differs) found.emplace_back(what);
    };
    say(before.serial != after.serial, "serial changed");
    say(before.mac != after.mac, "mac changed");
    say(before.address != after.address, "address changed");
    say(before.model != after.model, "model changed");
    say(before.profile != after.profile, "profile changed");
    say(before.tftp_prefixes != after.tftp_prefixes, "tftp prefix changed");
    say(before.bootfile != after.bootfile, "bootfile changed");
    say(before.root != after.root, "root changed");
    say(before.kernel_release != after.kernel_release, "kernel release changed");
    // Whatever fields a manifest gains: a difference is a difference.
    say(found.empty() && before != after, "entry changed");
    return found;
}

using Boards = std::map<std::string_view, const layout::BoardEntry*>;

// Ten thousand boards are not looked for one by one.
Boards by_name(const layout::Manifest& manifest) {
    Boards boards;
    for (const layout::BoardEntry& board : manifest.boards) boards.emplace(board.name, &board);
    return boards;
}

}  // namespace

std::string summary(const std::vector<std::string>& reasons) {
    const std::size_t shown = std::min(reasons.size(), shown_max);
    std::string text = fmt::format("{}", fmt::join(reasons.begin(), reasons.begin() + shown, ", "));
    if (shown < reasons.size()) text += fmt::format(" and {} more", reasons.size() - shown);
    return text;
}

std::vector<std::string> differences(
    const layout::Manifest& before, const layout::Manifest& after
) {
    std::vector<std::string> found;
    for (const auto& [name, tree] : after.trees) {
        const auto old = before.trees.find(name);
        if (old == before.trees.end()) {
            found.push_back(fmt::format("profile {} is new", name));
            continue;
        }
        const auto changed = tree_differences(old->second, tree);
        if (!changed.empty())
            found.push_back(fmt::format("profile {}: {}", name, summary(changed)));
    }
    for (const auto& [name, tree] : before.trees) {
        if (!after.trees.contains(name)) found.push_back(fmt::format("profile {} is gone", name));
    }
    const Boards old_boards = by_name(before);
    const Boards new_boards = by_name(after);
    for (const layout::BoardEntry& board : after.boards) {
        const auto old = old_boards.find(board.name);
        if (old == old_boards.end()) {
            found.push_back(fmt::format("{} is new", board.name));
            continue;
        }
        const auto changed = board_differences(*old->second, board);
        if (!changed.empty()) found.push_back(fmt::format("{}: {}", board.name, summary(changed)));
    }
    for (const layout::BoardEntry& board : before.boards) {
        if (!new_boards.contains(board.name)) {
            found.push_back(fmt::format("{} is gone", board.name));
        }
    }
    return found;
}

}  // namespace bramble::plan
