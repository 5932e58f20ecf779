#include "services/rehearsal/root_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>

namespace bramble::rehearsal {
namespace {

constexpr std::size_t parts_max = 256;
constexpr std::uint32_t any_execute = 0111;

std::string_view take_word(std::string_view& rest) {
    const auto begin = rest.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
        rest = {};
        return {};
    }
    const auto end = rest.find_first_of(" \t", begin);
    const std::string_view word = rest.substr(begin, end - begin);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    return word;
}

void put_in_front(std::deque<std::string>& parts, std::string_view path) {
    std::deque<std::string> more;
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (slash != 0) more.emplace_back(path.substr(0, slash));
        path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    parts.insert(parts.begin(), more.begin(), more.end());
}

bool has_option(std::string_view options, std::string_view wanted) {
    while (!options.empty()) {
        const auto comma = options.find(',');
        if (options.substr(0, comma) == wanted) return true;
        options = comma == std::string_view::npos ? std::string_view() : options.substr(comma + 1);
    }
    return false;
}

std::string init_of(std::string_view cmdline) {
    std::string init = "/sbin/init";
    while (!cmdline.empty()) {
        const std::string_view word = take_word(cmdline);
        if (word.starts_with("init=") && word.size() > 5) init = word.substr(5);
    }
    return init;
}

}  // namespace

Result<std::optional<std::string>> follow(RootTree& root, std::string_view path) {
    std::deque<std::string> rest;
    put_in_front(rest, path);
    std::string at;
    unsigned links = 0;
    for (std::size_t i = 0; i < parts_max && !rest.empty(); ++i) {
        const std::string part = std::move(rest.front());
        rest.pop_front();
        if (part == ".") continue;
        if (part == "..") {  // above the root is the root
            at.resize(at.empty() ? 0 : at.rfind('/'));
            continue;
        }
        const std::string next = at + "/" + part;
        const auto status = root.status(next);
        if (!status) return tl::unexpected(status.error());
        if (!*status) return std::optional<std::string>();
        if ((*status)->kind != EntryKind::symlink) {
            at = next;
            continue;
        }
        if (++links > links_max) return fail("a circle of symbolic links");
        const auto target = root.read_link(next);
        if (!target) return tl::unexpected(target.error());
        if (target->starts_with('/')) at.clear();
        put_in_front(rest, *target);
    }
    if (!rest.empty()) return fail("a path of too many parts");
    return std::optional<std::string>(at.empty() ? "/" : at);
}

std::optional<std::string> check_init(RootTree& root, std::string_view cmdline, Report& report) {
    const std::string init = init_of(cmdline);
    const std::string remedy =
        "give the image a root tree with an init system (systemd-sysv in Debian), then apply";
    const auto there = follow(root, init);
    if (!there) {
        report.stop(
            Phase::root, fmt::format("{} cannot be read: {}", init, there.error().message), remedy
        );
        return std::nullopt;
    }
    if (!*there) {
        report.stop(Phase::root, fmt::format("the root has no {}", init), remedy);
        return std::nullopt;
    }
    const auto status = root.status(**there);
    if (!status || !*status || (*status)->kind != EntryKind::file) {
        report.stop(Phase::root, fmt::format("{} in the root is no program", init), remedy);
        return std::nullopt;
    }
    if (((*status)->mode & any_execute) == 0) {
        report.stop(Phase::root, fmt::format("{} in the root may not be executed", init), remedy);
        return std::nullopt;
    }
    const std::string by = **there == init ? "" : ", which is " + **there;
    report.tell(Phase::root, fmt::format("{} is there{}", init, by));
    return *there;
}

void check_modules(RootTree& root, const std::string& release, bool stops, Report& report) {
    if (release.empty()) return;
    const std::string remedy = fmt::format(
        "put the modules of {} into the image (lib/modules/{}), or serve the kernel that belongs "
        "to the root",
        release,
        release
    );
    const auto tell = [&](std::string sentence) {
        report.findings.push_back({stops, Phase::root, std::move(sentence), remedy});
    };
    const auto folder = follow(root, "/lib/modules");
    std::vector<std::string> releases;
    if (folder && *folder) {
        if (auto names = root.list(**folder)) releases = std::move(*names);
    }
    if (std::ranges::find(releases, release) != releases.end()) {
        return report.tell(Phase::root, fmt::format("modules of {} are there", release));
    }
    if (releases.empty()) {
        return tell(fmt::format("the root has no kernel modules, and the kernel is {}", release));
    }
    tell(fmt::format(
        "the kernel is {}, and the root has modules of {} only", release, fmt::join(releases, ", ")
    ));
}

void check_fstab(std::string_view text, Report& report) {
    static constexpr std::array<std::string_view, 8> disks = {
        "PARTUUID=",
        "UUID=",
        "LABEL=",
        "PARTLABEL=",
        "/dev/mmcblk",
        "/dev/sd",
        "/dev/nvme",
        "/dev/disk/"};
    for (std::size_t number = 1; number <= fstab_lines_max && !text.empty(); ++number) {
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        const std::string_view device = take_word(line);
        if (device.empty() || device.front() == '#') continue;
        const std::string_view where = take_word(line);
        take_word(line);  // its type
        const std::string_view options = take_word(line);
        const bool disk = std::ranges::any_of(disks, [device](std::string_view begin) {
            return device.starts_with(begin);
        });
        if (!disk || has_option(options, "noauto") || has_option(options, "nofail")) continue;
        report.doubt(
            Phase::userspace,
            fmt::format("/etc/fstab:{} mounts {} from {}", number, where, device),
            "a board without that disk waits 90 s for it and then ends in emergency mode: remove "
            "the "
            "line from the image, or add the option nofail"
        );
    }
}

void check_root(
    RootTree& root, std::string_view cmdline, const std::string& release, Report& report
) {
    report.tell(Phase::root, root.how());
    check_init(root, cmdline, report);
    check_modules(root, release, false, report);
    const auto fstab = follow(root, "/etc/fstab");
    if (!fstab || !*fstab) return;
    const auto text = root.read_file(**fstab);
    if (!text) {
        return report.doubt(
            Phase::userspace,
            "/etc/fstab cannot be read: " + text.error().message,
            "look at its permissions in the image"
        );
    }
    check_fstab(*text, report);
}

}  // namespace bramble::rehearsal
