#include "services/boards/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/types/text.hpp"

namespace bramble::boards {
namespace {

// The file whose end was seen last; nullptr: none was asked for.
const FileRecord* latest(const Boot& boot) {
    const FileRecord* last = nullptr;
    for (const FileRecord& file : boot.files) {
        if (last == nullptr || file.last_ended >= last->last_ended) last = &file;
    }
    return last;
}

bool is_lost(const FileRecord& file) {
    return file.outcome == FileOutcome::missing || file.outcome == FileOutcome::refused;
}

bool any_there(const Boot& boot, FileClass of) {
    return std::any_of(boot.files.begin(), boot.files.end(), [&](const FileRecord& file) {
        return file.file_class == of && (file.loads > 0 || file.probes > 0);
    });
}

// "kernel8.img, kernel7l.img": what was asked for in vain.
std::string lost_of(const Boot& boot, FileClass of) {
    std::string names;
    for (const FileRecord& file : boot.files) {
        if (file.file_class != of || !is_lost(file)) continue;
        names += (names.empty() ? "" : ", ") + file.path;
    }
    return names;
}

std::string on_address(const Boot& boot) {
    if (!boot.hold_reason.empty()) {
        return fmt::format(
            "it was held back ({}) and stopped asking for an address: is it still powered?",
            boot.hold_reason
        );
    }
    if (boot.offers > 0) {
        return fmt::format(
            "it was offered {} {} and did not take it: look for a second DHCP server on this wire, "
            "and for a switch port that still waits for spanning tree (set it to edge or portfast)",
            boot.address.to_string(),
            boot.offers == 1 ? "once" : fmt::format("{} times", boot.offers)
        );
    }
    return "it asked for an address and fell silent: look at its link and its boot order";
}

std::string on_files(const Boot& boot) {
    const FileRecord* last = latest(boot);
    if (last == nullptr) {
        return fmt::format(
            "it took {} but never asked for a file: look for a firewall before UDP port 69, and "
            "for another TFTP_IP in its EEPROM",
            boot.address.to_string()
        );
    }
    if (last->outcome == FileOutcome::failed) {
        return fmt::format(
            "{} broke off after {}: look at cable, switch and power of this board",
            last->path,
            describe_bytes(last->bytes)
        );
    }
    if (last->outcome == FileOutcome::refused) {
        return fmt::format(
            "it asked for {}, which is not its own: compare the TFTP prefix in its EEPROM with the "
            "fleet file",
            last->path
        );
    }
    if (!any_there(boot, FileClass::start)) {
        if (const std::string lost = lost_of(boot, FileClass::start); !lost.empty()) {
            return fmt::format(
                "{} is not in its boot files, and without it nothing starts: give its profile an "
                "image with the firmware for this model, then apply",
                lost
            );
        }
    }
    if (!any_there(boot, FileClass::kernel)) {
        if (const std::string lost = lost_of(boot, FileClass::kernel); !lost.empty()) {
            return fmt::format(
                "none of the kernels it asked for is in its boot files ({}): look at kernel= in "
                "config_txt and at the kernel of its profile, then apply",
                lost
            );
        }
    }
    return fmt::format(
        "it fell silent after {}: look at its screen or serial console, and at its LED", last->path
    );
}

std::string on_kernel(const Boot& boot) {
    const FileRecord* last = latest(boot);
    if (last != nullptr && last->outcome == FileOutcome::failed) return on_files(boot);
    std::string kernel = "its kernel";
    for (const FileRecord& file : boot.files) {
        if (file.file_class == FileClass::kernel && file.loads > 0) kernel = file.path;
    }
    return fmt::format(
        "{} was loaded, but nothing was heard of the running system: a kernel for another model or "
        "width, an initramfs that does not belong to it, or no ip= in cmdline; read its console",
        kernel
    );
}

}  // namespace

std::string diagnose(const Boot& boot) {
    switch (boot.phase) {
        case Phase::address:
            return on_address(boot);
        case Phase::firmware:
        case Phase::config:
            return on_files(boot);
        case Phase::kernel:
            return on_kernel(boot);
        case Phase::root:
            return "its kernel has an address but did not get as far as its root: look at the "
                   "export, at the NFS version in its profile, and for a firewall before port 2049";
        case Phase::userspace:
            return "its root is mounted but it did not report that it is up: look at the unit "
                   "bramble-up on the board, and for a failing unit before it";
    }
    return "";
}

}  // namespace bramble::boards
