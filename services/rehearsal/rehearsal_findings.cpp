// What a board that was powered on made of its files, and what it said when it stopped.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "services/rehearsal/rehearsal.hpp"

namespace bramble::rehearsal {
namespace {

using virtual_board::Failure;

constexpr std::uint64_t blocks_max = 65'535;

}  // namespace

void Rehearsal::check_files() {
    Boot& boot = *boot_;
    if (boot.files_checked) return;
    boot.files_checked = true;
    const Failure failure = boot.board.last_failure().failure;
    if (failure == Failure::no_offer || failure == Failure::no_ack) return;
    std::vector<std::string> firmware;
    for (const char* name :
         {"bootcode.bin", "start.elf", "start4.elf", "fixup.dat", "fixup4.dat"}) {
        if (boot.taken.has(name)) firmware.emplace_back(name);
    }
    if (!firmware.empty()) {
        boot.report.tell(Phase::firmware, fmt::format("{}", fmt::join(firmware, ", ")));
    }
    const auto& spec = boot.board.spec();
    const bool pi4 = spec.profile.family == virtual_board::Family::pi4;
    if (pi4 && boot.taken.has("start.elf") && !boot.taken.has("start4.elf")) {
        boot.report.stop(
            Phase::firmware,
            "start4.elf is not served, and the board takes start.elf, which is a Raspberry Pi 3's",
            "take start4.elf and fixup4.dat from a Raspberry Pi OS image or Debian's raspi-firmware"
        );
    }
    for (const char* name : {"fixup4.dat", "fixup.dat"}) {
        if (!boot.taken.missing.contains(name) || failure == Failure::no_start_file) continue;
        boot.report.doubt(
            Phase::firmware,
            fmt::format("{} is not served: the board sees a part of its memory only", name),
            "serve it beside the start file that it belongs to"
        );
    }
    if (failure == Failure::no_start_file) return;
    boot_check_.check_config(boot.entry, spec, boot.taken, boot.report);
    const bool loaded = failure == Failure::none || failure == Failure::no_cmdline;
    if (loaded) boot.release = boot_check_.check_kernel(boot.entry, spec, boot.taken, boot.report);
}

void Rehearsal::explain_size(const virtual_board::BootFailure& failure) {
    const auto& profile = boot_->board.spec().profile;
    std::string path;
    std::uint64_t size = 0;
    std::string_view requested = failure.detail;
    requested = requested.substr(0, requested.find(' '));
    if (const auto* file = file_of(requested, path)) {
        if (const auto* object = std::get_if<layout::ObjectFile>(file)) size = object->size;
    }
    const bool by_loader = path.starts_with("start") || path.starts_with("fixup");
    const unsigned block = by_loader ? profile.eeprom_blksize : profile.firmware_blksize;
    boot_->report.stop(
        Phase::kernel,
        fmt::format(
            "{} has {}, and firmware {} fetches no more than {} by TFTP",
            path,
            describe_bytes(size),
            profile.name,
            describe_bytes(blocks_max * std::max(block, 512U))
        ),
        "update the board's EEPROM to one from 2025-09-23 or later, or make the file smaller"
    );
}

void Rehearsal::explain(const virtual_board::BootFailure& failure) {
    Report& report = boot_->report;
    switch (failure.failure) {
        case Failure::no_offer:
        case Failure::no_ack:
            return report.stop(
                Phase::address,
                boot_->held.empty() ? "DHCP: " + failure.detail
                                    : "DHCP offers it nothing: " + boot_->held,
                "look at the board's serial, mac and address in the fleet file, and at dhcp: pool"
            );
        case Failure::no_start_file:
            return report.stop(
                Phase::firmware,
                failure.detail + ": the board stops with its LED at four short flashes",
                "take the firmware from a Raspberry Pi OS image or Debian's raspi-firmware into "
                "the "
                "image's boot directory"
            );
        case Failure::no_kernel:
            return report.stop(
                Phase::kernel,
                failure.detail + ": the board stops with its LED at seven short flashes",
                "add the kernel to the image's boot directory or under boot_files:, or correct "
                "kernel= in config.txt"
            );
        case Failure::no_cmdline:
            if (!boot_->entry.root) {
                return report.tell(Phase::root, "no NFS root: the board has boot files only");
            }
            return report.stop(
                Phase::config, failure.detail, "leave root=, nfsroot= and ip= to Bramble"
            );
        case Failure::boot_ramdisk:
            return report.doubt(
                Phase::config,
                "boot_ramdisk=1: boot.img was fetched, and what is inside was not rehearsed",
                "look at its config.txt and kernel yourself"
            );
        case Failure::file_too_large:
            return explain_size(failure);
        default:
            break;
    }
    report.stop(
        Phase::firmware, failure.detail, "look at the board's files and settings in the fleet file"
    );
}

}  // namespace bramble::rehearsal
