#include "provisioning/boot/lint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <tuple>

#include "config/types/text.hpp"

namespace bramble::boot {
namespace {

// Fact sheet 2.5 to 2.8: a Pi 5 brings all of it in its EEPROM.
std::string_view name_of(BoardModel model) {
    switch (model) {
        case BoardModel::pi3:
            return "Raspberry Pi 3";
        case BoardModel::pi4:
            return "Raspberry Pi 4";
        case BoardModel::pi400:
            return "Raspberry Pi 400";
        case BoardModel::cm4:
            return "Compute Module 4";
        case BoardModel::pi5:
        case BoardModel::generic:
            break;
    }
    return {};
}

bool has(const layout::BootTree& tree, std::string_view name) {
    return tree.find(name) != tree.end();
}

void check_firmware(
    const layout::BootTree& tree,
    BoardModel model,
    const Started& started,
    std::vector<Finding>& findings
) {
    if (started.start_file.empty()) return;
    std::vector<std::string_view> missing;
    if (model == BoardModel::pi3 && !has(tree, "bootcode.bin"))
        missing.emplace_back("bootcode.bin");
    for (const std::string& file : {std::cref(started.start_file), std::cref(started.fixup_file)}) {
        if (!has(tree, file)) missing.emplace_back(file);
    }
    if (missing.empty()) return;
    findings.push_back(
        {false,
         "firmware-missing",
         fmt::format(
             "{} {} not among the boot files, and a {} does not start without",
             fmt::join(missing, ", "),
             missing.size() == 1 ? "is" : "are",
             name_of(model)
         ),
         "take them from the boot partition of a Raspberry Pi OS image or from Debian's package "
         "raspi-firmware (/usr/lib/raspi-firmware), into the image's boot directory or under "
         "boot_files:"}
    );
}

// "start4x.elf" -> "4x"; none for names of somebody's own.
std::optional<std::string_view> kind_of(
    std::string_view file, std::string_view begin, std::string_view end
) {
    file.remove_prefix(std::min(file.rfind('/') + 1, file.size()));
    if (!file.starts_with(begin) || !file.ends_with(end)) return std::nullopt;
    if (file.size() < begin.size() + end.size()) return std::nullopt;
    return file.substr(begin.size(), file.size() - begin.size() - end.size());
}

// Fact sheet 8, rule 16. A fixup file does not say which version it is of: names and origins do.
void check_firmware_pair(
    const layout::BootTree& tree,
    const TreeFacts& facts,
    const Started& started,
    std::vector<Finding>& findings
) {
    const auto& [start, fixup] = std::tie(started.start_file, started.fixup_file);
    if (start.empty() || !has(tree, start) || !has(tree, fixup)) return;
    const auto start_kind = kind_of(start, "start", ".elf");
    const auto fixup_kind = kind_of(fixup, "fixup", ".dat");
    if (start_kind && fixup_kind && *start_kind != *fixup_kind) {
        findings.push_back(
            {started.known,  // else a line that nobody knows of may name the other one
             "firmware-pair",
             fmt::format(
                 "config.txt has {} started with {}, and a board freezes on a pair of two kinds",
                 start,
                 fixup
             ),
             fmt::format("set fixup_file=fixup{}.dat, or leave both out", *start_kind)}
        );
        return;
    }
    const bool own = facts.own_files.contains(start);
    if (own == facts.own_files.contains(fixup)) return;
    findings.push_back(
        {false,
         "firmware-pair",
         fmt::format(
             "{} comes from boot_files: and {} from the image, and a board freezes on a pair of "
             "two versions",
             own ? start : fixup,
             own ? fixup : start
         ),
         "give both of one release under boot_files:, or neither"}
    );
}

void check_kernel(
    const layout::BootTree& tree,
    const ConfigReading& config,
    const Started& started,
    std::vector<Finding>& findings
) {
    if (!started.missing_kernel.empty()) {
        findings.push_back(
            {false,
             "kernel-missing",
             fmt::format(
                 "config.txt has kernel={}, which is not among the boot files",
                 started.missing_kernel
             ),
             "add it to the image's boot directory or under boot_files:, or name one that is there"}
        );
        return;
    }
    const Settings& settings = config.settings;
    if (settings.contains("kernel") || settings.contains("boot_ramdisk") ||
        settings.contains("os_prefix")) {
        return;
    }
    for (const std::string_view name :
         {"kernel8.img", "kernel7l.img", "kernel7.img", "kernel_2712.img", "kernel.img"}) {
        if (has(tree, name)) return;
    }
    findings.push_back(
        {false,
         "kernel-missing",
         "there is no kernel8.img or kernel7l.img among the boot files and config.txt names no "
         "kernel=",
         "add the kernel to the image's boot directory or under boot_files:"}
    );
}

void check_sizes(const layout::BootTree& tree, std::vector<Finding>& findings) {
    for (const auto& [path, file] : tree) {
        const auto* object = std::get_if<layout::ObjectFile>(&file);
        if (object == nullptr || object->size <= old_firmware_file_bytes_max) continue;
        findings.push_back(
            {false,
             "file-size",
             fmt::format(
                 "'{}' is {}: EEPROMs from before 2025-09-23 cannot fetch more than {} by TFTP",
                 path,
                 describe_bytes(object->size),
                 describe_bytes(old_firmware_file_bytes_max)
             ),
             "update the boards' EEPROM or make the file smaller"}
        );
    }
}

// What is not known to be loaded, because of an os_prefix= or another's text, is asked for at
// least.
bool asks_for_initramfs(const Settings& settings) {
    return settings.contains("initramfs") || value_of(settings, "auto_initramfs") == "1";
}

void check_initramfs(
    const TreeFacts& facts,
    const ConfigReading& config,
    const Started& started,
    std::vector<Finding>& findings
) {
    for (const std::string& name : started.missing_initramfs) {
        findings.push_back(
            {false,
             "initramfs-missing",
             fmt::format(
                 "config.txt has the initramfs '{}' loaded, which is not among the boot files", name
             ),
             "add it to the image's boot directory or under boot_files:, or name one that is there"}
        );
    }
    const bool used =
        started.known ? !started.initramfs.empty() : asks_for_initramfs(config.settings);
    if (facts.nfs_version.substr(0, 1) != "4" || facts.initramfs_mounts_nfs4 || !used) return;
    findings.push_back(
        {false,
         "initramfs-nfs4",
         "the root is NFS 4, and the image's initramfs is used: klibc's nfsmount, which Raspberry "
         "Pi OS has there, mounts version 3 only",
         "set the profile's root: {nfs_version: \"3\"}, or config_txt: {auto_initramfs: 0}"}
    );
}

// Fact sheet 7.1: what is read before start4.elf runs has no effect in an included file. A Pi 5
// has no such stage.
void check_early(BoardModel model, const ConfigReading& config, std::vector<Finding>& findings) {
    constexpr std::array<std::string_view, 9> early = {
        "boot_ramdisk",
        "bootloader_update",
        "fixup_file",
        "gpu_mem",
        "start_debug",
        "start_file",
        "start_x",
        "tryboot",
        "uart_2ndstage"};
    if (model == BoardModel::pi5) return;
    for (const auto& [file, keys] : config.included_keys) {
        for (const std::string_view key : early) {
            if (!keys.contains(std::string(key))) continue;
            findings.push_back(
                {false,
                 "include-early",
                 fmt::format(
                     "'{}' is included and has {}=, which is looked for in config.txt alone: what "
                     "starts the firmware knows no include",
                     file,
                     key
                 ),
                 "write it under config_txt:"}
            );
        }
    }
}

}  // namespace

std::vector<Finding> lint_tree(const layout::BootTree& tree, const TreeFacts& facts) {
    std::vector<Finding> findings;
    const ConfigReading config = read_config(tree, facts.files, {facts.model, facts.serial});
    const Started started = started_of(tree, facts.model, config);
    if (facts.model != BoardModel::generic) {
        check_firmware(tree, facts.model, started, findings);
        check_firmware_pair(tree, facts, started, findings);
        check_kernel(tree, config, started, findings);
        check_sizes(tree, findings);
        check_initramfs(facts, config, started, findings);
        findings.insert(findings.end(), config.findings.begin(), config.findings.end());
        check_early(facts.model, config, findings);
    } else if (tree.empty()) {
        findings.push_back(
            {false,
             "boot-files-missing",
             "there are no boot files",
             "give the image a boot directory or the profile boot_files:"}
        );
    }
    const std::vector<Finding> kernel = lint_kernel(tree, facts, started);
    findings.insert(findings.end(), kernel.begin(), kernel.end());
    return findings;
}

}  // namespace bramble::boot
