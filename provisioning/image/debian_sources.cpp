#include "provisioning/image/debian_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace bramble::image {

namespace {

struct Target {
    std::string_view uri;
    std::string_view release;
    std::string_view component;
    std::string_view origin;
};

Target parse_target(std::string_view line) {
    std::array<std::string_view, 5> fields;
    for (std::string_view& field : fields) {
        const std::size_t end = std::min(line.find('|'), line.size());
        field = line.substr(0, end);
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return {fields[0], fields[1], fields[2], fields[3]};
}

// "bookworm-security" of a bookworm machine -> "-security"; backports and foreign suites: nothing.
bool is_wanted(const Target& target, std::string_view own_suite, std::string_view& pocket) {
    // Without downloaded lists apt knows no origin yet: the suite's name has to do.
    const bool debian =
        target.origin.empty() || target.origin == "Debian" || target.origin == "Raspbian";
    for (const std::string_view name : {own_suite, std::string_view("stable")}) {
        if (name.empty() || !target.release.starts_with(name)) continue;
        pocket = target.release.substr(name.size());
        return debian && (pocket.empty() || pocket == "-updates" || pocket == "-security");
    }
    return false;
}

}  // namespace

std::vector<std::string> debian_sources(
    std::string_view indextargets, std::string_view own_suite, std::string_view suite
) {
    std::vector<std::string> lines;
    std::set<std::string> seen;
    while (!indextargets.empty()) {
        const std::size_t end = std::min(indextargets.find('\n'), indextargets.size());
        const Target target = parse_target(indextargets.substr(0, end));
        indextargets.remove_prefix(std::min(end + 1, indextargets.size()));
        std::string_view pocket;
        if (!is_wanted(target, own_suite, pocket)) continue;
        // Unstable has neither updates nor security of its own.
        if (!pocket.empty() && (suite == "sid" || suite == "unstable")) continue;
        const std::string line =
            fmt::format("deb {} {}{} {}", target.uri, suite, pocket, target.component);
        if (seen.insert(line).second) lines.push_back(line);
    }
    return lines;
}

}  // namespace bramble::image
