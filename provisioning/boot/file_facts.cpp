#include "provisioning/boot/file_facts.hpp"

#include <algorithm>
#include <deque>

namespace bramble::boot {
namespace {

using namespace std::string_view_literals;

// Documentation/arm64/booting.rst: the magic of an Image, "ARM\x64" at offset 56.
constexpr std::string_view arm64_magic = "ARM\x64"sv;
constexpr std::size_t arm64_magic_at = 56;
// arch/arm/boot/compressed/head.S: 0x016f2818 at offset 36, little-endian.
constexpr std::string_view arm_magic = "\x18\x28\x6f\x01"sv;
constexpr std::size_t arm_magic_at = 36;
// init/version.c: linux_banner. The same words with a "%s" behind them are a format, not a banner.
constexpr std::string_view banner = "Linux version "sv;
// kernel/configs.c
constexpr std::string_view configuration_begin = "IKCFG_ST"sv;
constexpr std::string_view configuration_end = "IKCFG_ED"sv;

std::string release_in(std::string_view bytes) {
    for (auto at = bytes.find(banner); at != bytes.npos; at = bytes.find(banner, at + 1)) {
        const std::string_view rest = bytes.substr(at + banner.size(), release_bytes_max + 1);
        const auto end = rest.find(' ');
        if (end == rest.npos || end == 0 || rest.front() < '0' || rest.front() > '9') continue;
        const std::string_view release = rest.substr(0, end);
        const bool printable =
            std::all_of(release.begin(), release.end(), [](char c) { return c > ' ' && c <= '~'; });
        if (printable) return std::string(release);
    }
    return {};
}

std::deque<std::string> parts_of(std::string_view path) {
    std::deque<std::string> parts;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        if (end != 0 && path.substr(0, end) != ".") parts.emplace_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return parts;
}

}  // namespace

std::optional<KernelFacts> read_kernel(std::string_view bytes) {
    if (bytes.size() < arm64_magic_at + arm64_magic.size()) return std::nullopt;
    KernelFacts facts;
    if (bytes.substr(arm64_magic_at, arm64_magic.size()) == arm64_magic) {
        facts.width = KernelWidth::arm64;
    } else if (bytes.substr(arm_magic_at, arm_magic.size()) == arm_magic) {
        facts.width = KernelWidth::arm;
    } else {
        return std::nullopt;
    }
    facts.release = release_in(bytes);
    return facts;
}

std::string_view embedded_configuration(std::string_view bytes) {
    auto begin = bytes.find(configuration_begin);
    if (begin == bytes.npos) return {};
    begin += configuration_begin.size();
    const auto end = bytes.find(configuration_end, begin);
    return end == bytes.npos ? std::string_view() : bytes.substr(begin, end - begin);
}

void add_configuration(KernelFacts& facts, std::string_view configuration) {
    std::map<std::string_view, char> options;
    while (!configuration.empty()) {
        const std::size_t end = std::min(configuration.find('\n'), configuration.size());
        const std::string_view line = configuration.substr(0, end);
        configuration.remove_prefix(std::min(end + 1, configuration.size()));
        const auto equals = line.find('=');
        if (!line.starts_with("CONFIG_") || equals == line.npos || equals + 1 == line.size())
            continue;
        options[line.substr(7, equals - 7)] = line[equals + 1];
    }
    if (options.empty()) return;
    facts.configured = true;
    const auto built_in = [&](std::string_view name) {
        const auto found = options.find(name);
        return found != options.end() && found->second == 'y';
    };
    const auto there = [&](std::string_view name) {
        const auto found = options.find(name);
        return found != options.end() && (found->second == 'y' || found->second == 'm');
    };
    facts.mounts_root = built_in("ROOT_NFS") && built_in("IP_PNP");
    const auto add = [](std::set<std::string>& versions, const auto& has) {
        if (!has("NFS_FS")) return;
        if (has("NFS_V3")) versions.insert("3");
        if (!has("NFS_V4")) return;
        versions.insert("4");  // 4.1 and 4.2 are switches of the same module
        if (has("NFS_V4_1")) versions.insert("4.1");
        if (has("NFS_V4_2")) versions.insert("4.2");
    };
    add(facts.nfs_versions, built_in);
    add(facts.nfs_modules, there);
}

bool has_program(const InitramfsFacts& initramfs, std::string_view path) {
    std::deque<std::string> ahead = parts_of(path);
    std::string at;
    for (int links = 0; !ahead.empty();) {
        const std::string part = ahead.front();
        ahead.pop_front();
        if (part == "..") {
            const auto slash = at.rfind('/');
            at.erase(slash == at.npos ? 0 : slash);
            continue;
        }
        const std::string here = at.empty() ? part : at + "/" + part;
        if (here.size() > path_bytes_max) return false;
        const auto link = initramfs.links.find(here);
        if (link == initramfs.links.end()) {
            at = here;
            continue;
        }
        if (++links > links_max || link->second.size() > path_bytes_max) return false;
        if (link->second.starts_with('/')) at.clear();
        const std::deque<std::string> target = parts_of(link->second);
        ahead.insert(ahead.begin(), target.begin(), target.end());
    }
    return initramfs.programs.contains(at);
}

}  // namespace bramble::boot
