#include "provisioning/kernel/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace bramble::kernel {
namespace {

constexpr std::string_view prefix = "CONFIG_";
constexpr std::string_view unset_suffix = " is not set";
constexpr std::size_t value_bytes_max = 2047;  // as kconfig's own buffer has it

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

std::optional<std::int64_t> number(std::string_view text) {
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    std::int64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data(), end, value, hex ? 16 : 10);
    if (failed != std::errc() || at != end || text.empty()) return std::nullopt;
    return value;
}

// Text between quotes, with \" and \\ for the two; the rest is what numbers and y, m, n are made
// of.
bool is_value(std::string_view text) {
    if (text.empty() || text.size() > value_bytes_max) return false;
    if (text.front() != '"') {
        return std::ranges::all_of(text, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-';
        });
    }
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            return i + 1 == text.size();
        }
    }
    return false;
}

// An option's line; false: not one.
bool read_line(std::string_view line, Options& options) {
    if (line.starts_with("# ") && line.ends_with(unset_suffix)) {
        line.remove_prefix(2);
        if (!line.starts_with(prefix)) return true;
        const std::string_view name =
            line.substr(prefix.size(), line.size() - prefix.size() - unset_suffix.size());
        if (is_name(name)) options[std::string(name)] = "n";
        return true;
    }
    if (line.empty() || line.front() == '#') return true;
    const std::size_t equals = line.find('=');
    if (!line.starts_with(prefix) || equals == std::string_view::npos) return false;
    const std::string_view name = line.substr(prefix.size(), equals - prefix.size());
    const std::string_view value = line.substr(equals + 1);
    if (!is_name(name) || !is_value(value)) return false;
    options[std::string(name)] = value;
    return true;
}

bool same(std::string_view asked, std::string_view is) {
    if (asked == is) return true;
    const auto a = number(asked);
    return a && a == number(is);
}

}  // namespace

Result<Options> parse_configuration(std::string_view text) {
    Options options;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
        if (!read_line(line, options)) {
            return fail(
                fmt::format("line {}: '{:.60}' is no option: write CONFIG_NAME=VALUE", number, line)
            );
        }
        if (options.size() > options_max) {
            return fail(fmt::format("line {}: more than {} options", number, options_max));
        }
    }
    return options;
}

std::string write_configuration(const Options& options) {
    std::string text;
    for (const auto& [name, value] : options) {
        text += value == "n" ? fmt::format("# CONFIG_{} is not set\n", name)
                             : fmt::format("CONFIG_{}={}\n", name, value);
    }
    return text;
}

std::string_view value_of(const Options& options, std::string_view name) {
    const auto found = options.find(name);
    return found == options.end() ? std::string_view("n") : std::string_view(found->second);
}

std::string written_value(std::string_view value) {
    if (value == "y" || value == "m" || value == "n" || number(value)) return std::string(value);
    if (value.size() >= 2 && value.front() == '"' && is_value(value)) return std::string(value);
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + '"';
}

std::vector<Lost> lost(const Asking& asking, const Options& final) {
    std::vector<Lost> all;
    for (const auto& [name, asked] : asking) {
        const std::string_view is = value_of(final, name);
        if (!same(asked.value, is)) all.push_back({name, asked, std::string(is)});
    }
    return all;
}

RootAbilities root_abilities(const Options& options) {
    const auto built_in = [&](std::string_view name) { return value_of(options, name) == "y"; };
    const auto there = [&](std::string_view name) { return value_of(options, name) != "n"; };
    RootAbilities abilities;
    abilities.mounts_root = built_in("ROOT_NFS") && built_in("IP_PNP");
    if (!there("NFS_FS")) return abilities;
    if (there("NFS_V3")) abilities.nfs_versions.insert("3");
    if (!there("NFS_V4")) return abilities;
    abilities.nfs_versions.insert("4");
    if (there("NFS_V4_1")) abilities.nfs_versions.insert("4.1");
    if (there("NFS_V4_2")) abilities.nfs_versions.insert("4.2");
    return abilities;
}

}  // namespace bramble::kernel
