#include "provisioning/root/network_managers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

namespace bramble::root {

namespace {

constexpr auto root_names = std::to_array<std::string_view>({"eth0", "end0"});
constexpr std::string_view mark = "# bramble: the root hangs on this link";

std::string kept_line(std::string_view line) {
    return fmt::format("{} | {}", mark, line);
}

}  // namespace

std::string networkd_network(std::optional<MacAddress> mac) {
    return fmt::format(
        "{}; its address came with the kernel.\n[Match]\n{}\n\n[Link]\nUnmanaged=yes\n",
        mark,
        mac ? "MACAddress=" + mac->to_string() : "Name=eth0 end0"
    );
}

std::string networkd_link(std::optional<MacAddress> mac) {
    return fmt::format(
        "{}: renaming it would take it down.\n[Match]\n{}\n\n[Link]\nNamePolicy=keep\n"
        "MACAddressPolicy=none\n",
        mark,
        mac ? "MACAddress=" + mac->to_string() : "OriginalName=eth0"
    );
}

std::string network_manager_conf(std::optional<MacAddress> mac) {
    return fmt::format(
        "{}.\n[device-bramble-root]\nmatch-device={}\nmanaged=0\n",
        mark,
        mac ? "mac:" + mac->to_string() : "interface-name:eth0,interface-name:end0"
    );
}

std::string dhcpcd_conf(std::string_view text) {
    std::string result(text);
    if (text.find(mark) != std::string_view::npos) return result;
    if (!result.empty() && result.back() != '\n') result += '\n';
    return result + fmt::format("{}\ndenyinterfaces eth0 end0\n", mark);
}

std::string ifupdown_interfaces(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string line(text.substr(0, end));
        std::istringstream words(line);
        std::string keyword;
        words >> keyword;
        std::vector<std::string> others;
        bool names_root = false;
        for (std::string word; words >> word;) {
            const bool is_root =
                std::find(root_names.begin(), root_names.end(), word) != root_names.end();
            names_root = names_root || is_root;
            if (!is_root) others.push_back(word);
        }
        if (names_root && (keyword == "auto" || keyword.starts_with("allow-"))) {
            result += kept_line(line) + '\n';
            if (!others.empty()) {
                result += keyword;
                for (const std::string& other : others) result += ' ' + other;
                result += '\n';
            }
        } else {
            result += line + '\n';
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

}  // namespace bramble::root
