#include "provisioning/boot/lint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/types/text.hpp"

namespace bramble::boot {
namespace {

struct Firmware {
    std::vector<std::string_view> files;
    std::string_view board;
};

// Fact sheet 2.5 to 2.8: a Pi 5 brings all of it in its EEPROM.
Firmware firmware_of(BoardModel model) {
    switch (model) {
        case BoardModel::pi3:
            return {{"bootcode.bin", "start.elf", "fixup.dat"}, "Raspberry Pi 3"};
        case BoardModel::pi4:
            return {{"start4.elf", "fixup4.dat"}, "Raspberry Pi 4"};
        case BoardModel::pi400:
            return {{"start4.elf", "fixup4.dat"}, "Raspberry Pi 400"};
        case BoardModel::cm4:
            return {{"start4.elf", "fixup4.dat"}, "Compute Module 4"};
        case BoardModel::pi5:
        case BoardModel::generic:
            break;
    }
    return {};
}

bool has(const layout::BootTree& tree, std::string_view name) {
    return tree.find(name) != tree.end();
}

bool config_says(const layout::BootTree& tree, std::string_view line) {
    const auto found = tree.find(std::string_view("config.txt"));
    if (found == tree.end()) return false;
    const auto* text = std::get_if<layout::TextFile>(&found->second);
    return text != nullptr &&
           ("\n" + text->text).find(fmt::format("\n{}", line)) != std::string::npos;
}

void check_firmware(
    const layout::BootTree& tree, BoardModel model, std::vector<Finding>& findings
) {
    const Firmware firmware = firmware_of(model);
    std::vector<std::string_view> missing;
    for (const std::string_view file : firmware.files) {
        if (!has(tree, file)) missing.push_back(file);
    }
    if (missing.empty()) return;
    findings.push_back(
        {false,
         "firmware-missing",
         fmt::format(
             "{} {} not among the boot files, and a {} does not start without",
             fmt::join(missing, ", "),
             missing.size() == 1 ? "is" : "are",
             firmware.board
         ),
         "take them from the boot partition of a Raspberry Pi OS image or from Debian's package "
         "raspi-firmware (/usr/lib/raspi-firmware), into the image's boot directory or under "
         "boot_files:"}
    );
}

void check_kernel(const layout::BootTree& tree, BoardModel model, std::vector<Finding>& findings) {
    if (config_says(tree, "kernel=") || config_says(tree, "boot_ramdisk=") ||
        config_says(tree, "os_prefix=")) {
        return;
    }
    for (const std::string_view name :
         {"kernel8.img", "kernel7l.img", "kernel7.img", "kernel_2712.img", "kernel.img"}) {
        if (has(tree, name)) return;
    }
    if (model == BoardModel::generic) return;
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

void check_initramfs(
    const layout::BootTree& tree, const TreeFacts& facts, std::vector<Finding>& findings
) {
    const bool used = config_says(tree, "auto_initramfs=1") || config_says(tree, "initramfs ");
    if (facts.nfs_version.substr(0, 1) != "4" || facts.initramfs_mounts_nfs4 || !used) return;
    findings.push_back(
        {false,
         "initramfs-nfs4",
         "the root is NFS 4, and the image's initramfs is used: klibc's nfsmount, which Raspberry "
         "Pi OS has there, mounts version 3 only",
         "set the profile's root: {nfs_version: \"3\"}, or config_txt: {auto_initramfs: 0}"}
    );
}

}  // namespace

std::vector<Finding> lint_tree(const layout::BootTree& tree, const TreeFacts& facts) {
    std::vector<Finding> findings;
    if (facts.model != BoardModel::generic) {
        check_firmware(tree, facts.model, findings);
        check_kernel(tree, facts.model, findings);
        check_sizes(tree, findings);
        check_initramfs(tree, facts, findings);
    } else if (tree.empty()) {
        findings.push_back(
            {false,
             "boot-files-missing",
             "there are no boot files",
             "give the image a boot directory or the profile boot_files:"}
        );
    }
    return findings;
}

}  // namespace bramble::boot
