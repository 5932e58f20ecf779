#include "provisioning/plan/difference.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
    for (const layout::BoardEntry& board : after.boards) {
        const layout::BoardEntry* old = before.find_board(board.name);
        if (old == nullptr) {
            found.push_back(fmt::format("{} is new", board.name));
            continue;
        }
        const auto changed = board_differences(*old, board);
        if (!changed.empty()) found.push_back(fmt::format("{}: {}", board.name, summary(changed)));
    }
    for (const layout::BoardEntry& board : before.boards) {
        if (after.find_board(board.name) == nullptr) {
            found.push_back(fmt::format("{} is gone", board.name));
        }
    }
    return found;
}

}  // namespace bramble::plan
