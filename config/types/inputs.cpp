#include "config/types/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace bramble {
namespace {

constexpr std::size_t told_max = 3;
constexpr std::size_t shown_bytes_max = 32;

bool is_shown(const std::string& value) {
    return !value.empty() && value.size() <= shown_bytes_max;
}

std::vector<std::string> changes(const Inputs& before, const Inputs& now) {
    std::vector<std::string> found;
    for (const auto& [name, value] : now) {
        const auto last = before.find(name);
        if (last == before.end()) {
            const std::string shown = is_shown(value) ? "=" + value : "";
            found.push_back(fmt::format("{}{} is new", name, shown));
        } else if (last->second != value) {
            const bool shown = is_shown(value) && is_shown(last->second);
            found.push_back(
                shown ? fmt::format("{} is {} (was {})", name, value, last->second)
                      : fmt::format("{} changed", name)
            );
        }
    }
    for (const auto& [name, value] : before) {
        if (!now.contains(name)) found.push_back(fmt::format("{} is gone", name));
    }
    return found;
}

}  // namespace

Inputs in_ascii(const Inputs& inputs) {
    const auto plain = [](std::string text) {
        for (char& c : text) {
            if (c < ' ' || c > '~') c = '?';
        }
        return text;
    };
    Inputs written;
    for (const auto& [name, value] : inputs) written[plain(name)] = plain(value);
    return written;
}

std::string describe_changes(const Inputs& before, const Inputs& now) {
    std::vector<std::string> found = changes(before, now);
    const std::size_t more = found.size() - std::min(found.size(), told_max);
    found.resize(found.size() - more);
    return fmt::format(
        "{}{}", fmt::join(found, ", "), more == 0 ? "" : fmt::format(" and {} more", more)
    );
}

std::size_t count_changes(const Inputs& before, const Inputs& now) {
    return changes(before, now).size();
}

}  // namespace bramble
