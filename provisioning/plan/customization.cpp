#include "provisioning/plan/customization.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace bramble::plan {
namespace {

constexpr std::size_t named_max = 3;

// "fio and libssl-dev"; "12 packages" where the names would be too many.
std::string names(const std::vector<std::string>& list, std::string_view what) {
    if (list.size() > named_max) return fmt::format("{} {}", list.size(), what);
    if (list.size() < 2) return list.front();
    return fmt::format("{} and {}", fmt::join(list.begin(), list.end() - 1, ", "), list.back());
}

std::vector<std::string> texts(const std::vector<fleet::Placed>& list) {
    std::vector<std::string> texts;
    for (const fleet::Placed& one : list) texts.push_back(one.text);
    return texts;
}

}  // namespace

std::string describe(const fleet::Customization& customize) {
    std::vector<std::string> parts;
    const auto add =
        [&](std::string_view verb, const std::vector<std::string>& list, std::string_view what) {
            if (!list.empty()) parts.push_back(fmt::format("{} {}", verb, names(list, what)));
        };
    std::vector<std::string> files;
    std::vector<std::string> users;
    for (const auto& [path, file] : customize.files) files.push_back(path);
    for (const fleet::User& user : customize.users) users.push_back(user.name);
    add("removes", texts(customize.remove), "packages");
    add("installs", texts(customize.packages), "packages");
    add("makes", users, "users");
    add("writes", files, "files");
    add("enables", texts(customize.enable), "units");
    add("disables", texts(customize.disable), "units");
    if (!customize.run.empty()) {
        const std::size_t count = customize.run.size();
        parts.push_back(fmt::format("runs {} command{}", count, count == 1 ? "" : "s"));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace bramble::plan
