#include "services/boards/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "services/boards/story.hpp"

namespace bramble::boards {
namespace {

using namespace std::chrono_literals;

// A switch port that listens and learns swallows everything for some thirty seconds, and each new
// attempt of the firmware takes the link down, which begins that anew (fact sheet 8, rule 1).
constexpr Duration spanning_tree_gap = 30s;

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
        if (file.path.starts_with("recovery")) continue;  // only looked for: nothing has it
        names += (names.empty() ? "" : ", ") + file.path;
    }
    return names;
}

std::string times(unsigned count) {
    return count == 1 ? "once" : fmt::format("{} times", count);
}

// "172.16.1.254 (MAC 02:00:00:00:00:fe)": the MAC where its answers were heard as well.
std::string name_of(Ipv4Address server, const Surroundings& around) {
    const auto& all = around.foreign_servers;
    const auto found = std::ranges::find(all, server, &ForeignServer::address);
    return found == all.end() ? server.to_string() : found->name();
}

constexpr std::string_view switch_it_off =
    "switch that server off on this wire, or set dhcp: {mode: proxy}";

std::string on_address(const Boot& boot, const Surroundings& around) {
    if (!boot.hold_reason.empty()) {
        return fmt::format(
            "it was held back ({}) and stopped asking for an address: is it still powered?",
            boot.hold_reason
        );
    }
    if (boot.other_offer) {
        return fmt::format(
            "it took {} from another DHCP server, {}, which gives it nothing to boot: {}",
            boot.other_offer->address.to_string(),
            name_of(boot.other_offer->server, around),
            switch_it_off
        );
    }
    if (boot.offers == 0) {
        return "it asked for an address and fell silent: look at its link and its boot order";
    }
    const std::string offered = fmt::format(
        "it was offered {} {} and did not take it", boot.address.to_string(), times(boot.offers)
    );
    if (boot.rival_offer) {
        return fmt::format(
            "{}: another DHCP server, {}, offers it {}; {}",
            offered,
            name_of(boot.rival_offer->server, around),
            describe_offer(boot.rival_offer->address),
            switch_it_off
        );
    }
    if (!around.foreign_servers.empty()) {
        return fmt::format(
            "{}, and another DHCP server, {}, was heard on this wire: {}",
            offered,
            around.foreign_servers.front().name(),
            switch_it_off
        );
    }
    if (boot.widest_gap >= spanning_tree_gap) {
        return fmt::format(
            "{}, with {} of silence between its attempts: its switch port blocks for spanning tree "
            "whenever the link comes up; set the port to edge or portfast",
            offered,
            describe(boot.widest_gap)
        );
    }
    return offered +
           ": look for a second DHCP server on this wire, and for a switch port that "
           "still waits for spanning tree (set it to edge or portfast)";
}

std::string on_no_file(const Boot& boot, const Surroundings& around) {
    if (boot.other_offer) {
        return fmt::format(
            "it took {} from another DHCP server, {}, and never asked for a file here: {}",
            boot.other_offer->address.to_string(),
            name_of(boot.other_offer->server, around),
            switch_it_off
        );
    }
    return fmt::format(
        "it took {} but never asked for a file: look for a firewall before UDP port 69, and "
        "for another TFTP_IP in its EEPROM",
        boot.address.to_string()
    );
}

std::string on_files(const Boot& boot, const Surroundings& around) {
    const FileRecord* last = latest(boot);
    if (last == nullptr) return on_no_file(boot, around);
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
    if (is_storm(*last)) {
        return fmt::format(
            "it asked for {} {} and goes on asking: its firmware does not accept the answers; look "
            "for a second TFTP server on this wire, and update its EEPROM",
            last->path,
            times(last->asked)
        );
    }
    return fmt::format(
        "it fell silent after {}: look at its screen or serial console, and at its LED", last->path
    );
}

std::string on_kernel(const Boot& boot, const Surroundings& around) {
    const FileRecord* last = latest(boot);
    if (last != nullptr && last->outcome == FileOutcome::failed) return on_files(boot, around);
    std::string kernel = "its kernel";
    for (const FileRecord& file : boot.files) {
        if (file.file_class == FileClass::kernel && file.loads > 0) kernel = file.path;
    }
    const FileRecord* config = boot.find_file("config.txt");
    if (config != nullptr && config->loads == 0 && config->outcome == FileOutcome::failed) {
        return fmt::format(
            "{} was loaded, but config.txt did not arrive, so that the firmware went by its "
            "defaults: look at cable and switch of this board",
            kernel
        );
    }
    return fmt::format(
        "{} was loaded, but nothing was heard of the running system: a kernel for another model or "
        "width, an initramfs that does not belong to it, or no ip= in cmdline; read its console",
        kernel
    );
}

// What klibc's nfsmount, with which many initramfs mount, does not understand (fact sheet 7.2).
std::string version_trap(const Expected& expected) {
    if (!expected.has_initramfs) return "";
    std::string trap;
    if (expected.cmdline.find("proto=") != std::string::npos) {
        trap = "refuses proto= in nfsroot=: write tcp instead";
    } else if (expected.nfs_version.starts_with('4')) {
        trap = "knows versions 2 and 3 only: set root: {nfs_version: 3}";
    } else {
        return "";
    }
    return "its kernel has an address but never asked the NFS server: an initramfs that mounts "
           "with "
           "the nfsmount of klibc " +
           trap;
}

std::string on_root(const Boot& boot, const Surroundings& around) {
    const Expected& expected = around.expected;
    if (around.examined.nfs_is_silent) {
        return "its kernel runs, but no NFS server answers where its root is: start it (systemctl "
               "start bramble-nfs, or nfs-server)";
    }
    const bool knocked = std::ranges::any_of(boot.knocked, [](bool one) { return one; });
    if (boot.other_offer && boot.other_offer->address == boot.address) {
        return fmt::format(
            "its kernel took {} from another DHCP server, {}, and its root is open to its own "
            "address alone: switch that server off on this wire, or write the address into its "
            "command line with root: {{ip: static}}",
            boot.address.to_string(),
            name_of(boot.other_offer->server, around)
        );
    }
    if (boot.knocks_unanswered > 0) {
        return "its kernel runs and asks the NFS server, whose answers do not come through: look "
               "for a firewall before TCP ports 111, 2049 and 20048";
    }
    if (boot.has_knocked(NfsDoor::nfs)) {
        return fmt::format(
            "its kernel reached the NFS server, but the mount did not hold: look whether the "
            "server gives {} by NFS version {} to {}",
            expected.export_path.empty() ? "its root" : expected.export_path,
            expected.nfs_version.empty() ? "of its profile" : expected.nfs_version,
            boot.address.to_string()
        );
    }
    if (boot.has_knocked(NfsDoor::mount)) {
        return fmt::format(
            "the NFS server did not let it mount {}: its export is missing, or is not open to {}; "
            "run `bramble apply`, which writes the exports anew, and look at the server's log",
            expected.export_path.empty() ? "its root" : expected.export_path,
            boot.address.to_string()
        );
    }
    if (knocked) {
        return "its kernel asked the portmapper and went no further: look whether rpcbind knows "
               "the NFS server (rpcinfo -p), or name port= and mountport= in nfsroot=";
    }
    if (std::string trap = version_trap(expected); !trap.empty()) return trap;
    return "its kernel has an address but never asked the NFS server: look at root= and nfsroot= "
           "of its command line, at the NFS version in its profile, and for a firewall before port "
           "2049";
}

std::string by_phase(const Boot& boot, const Surroundings& around) {
    switch (boot.phase) {
        case Phase::address:
            return on_address(boot, around);
        case Phase::firmware:
        case Phase::config:
            return on_files(boot, around);
        case Phase::kernel:
            return on_kernel(boot, around);
        case Phase::root:
            return on_root(boot, around);
        case Phase::userspace:
            return "its root is mounted but it did not report that it is up: look at the unit "
                   "bramble-up on the board, and for a failing unit before it";
    }
    return "";
}

// Whether what was found explains that a boot stopped where it did: nothing that comes later does,
// and an absence that was seen on the wire needs no guess.
bool explains(const Examined& examined, const Boot& boot) {
    if (!examined.phase || examined.finding.empty()) return false;
    if (boot.phase == Phase::address) return false;
    const int reached = static_cast<int>(boot.phase);
    // A mount that was refused is a finding of the root; who looks at it in userspace sees the same
    // root. A doubt is worth saying where nothing better is known.
    if (*examined.phase > reached) return false;
    return examined.stops || *examined.phase + 1 >= reached;
}

// What would stop it next. Its kernel may have come so far without being heard.
bool lies_ahead(const Examined& examined, const Boot& boot) {
    return examined.phase && examined.stops && boot.phase != Phase::address &&
           *examined.phase == static_cast<int>(boot.phase) + 1;
}

// What was seen on the wire, what a look at the generation found, or both; the surer one first.
std::string likeliest(const Boot& boot, const Surroundings& around) {
    const FileRecord* last = latest(boot);
    const bool broke_off = last != nullptr && last->outcome == FileOutcome::failed;
    const std::string found = around.examined.finding + ": " + around.examined.remedy;
    if (!broke_off && explains(around.examined, boot)) return found;
    const std::string seen = by_phase(boot, around);
    if (!lies_ahead(around.examined, boot)) return seen;
    const bool kernels_were_lost = boot.phase == Phase::config &&
                                   !any_there(boot, FileClass::kernel) &&
                                   !lost_of(boot, FileClass::kernel).empty();
    if (!broke_off && kernels_were_lost) return found;  // that is what was seen
    // A kernel that is not heard may have come so far; all else that may be is a guess.
    if (!broke_off && boot.phase == Phase::kernel) return found + "; if that is not it, " + seen;
    return seen + "; besides, " + found;
}

}  // namespace

bool is_storm(const FileRecord& file) {
    return file.loads == 0 && file.asked >= storm_requests_min;
}

bool turns_in_a_circle(const Boot& boot) {
    const bool asks_on = boot.phase == Phase::address && boot.offers >= offers_max;
    return asks_on || boot.restarts >= restarts_max || std::ranges::any_of(boot.files, is_storm);
}

std::string diagnose(const Boot& boot, const Surroundings& around) {
    std::string text = likeliest(boot, around);
    if (const std::string twin = diagnose_twin(boot); !twin.empty()) text = twin + "; " + text;
    if (boot.restarts >= restarts_max) {
        text = fmt::format("it begins again and again ({}): {}", times(boot.restarts + 1), text);
    } else if (boot.failed_before + 1 >= failed_boots_max) {
        text = fmt::format("{} boots in a row did not come up: {}", boot.failed_before + 1, text);
    }
    if (!around.console.empty()) {
        text += fmt::format("; its console said: {}", printable(around.console));
    }
    return printable(text, diagnosis_bytes_max);  // boards ask for any bytes
}

std::string diagnose_twin(const Boot& boot) {
    if (!boot.mac || !boot.mac_of_twin) return "";
    // In one order, whichever of them asked last.
    const auto [first, second] = std::minmax(*boot.mac, *boot.mac_of_twin);
    return fmt::format(
        "two boards say that they are this one, {} and {}: unplug one of them to see which is "
        "which, then correct its serial: or mac: in the fleet file; two boards that do share a "
        "serial need an entry each, with mac: alone",
        first.to_string(),
        second.to_string()
    );
}

std::string describe_offer(Ipv4Address address) {
    return address.is_set() ? address.to_string() : "boot data";
}

std::string diagnose_never_seen() {
    return "it has never asked for an address: is it powered, is its link up, is network (2) in "
           "its "
           "BOOT_ORDER, and is it on this wire?";
}

std::string diagnose_silence(Duration since) {
    return fmt::format(
        "it was up and has not been heard for {}: it is switched off, hangs, or is cut off from "
        "this wire",
        describe(since)
    );
}

}  // namespace bramble::boards
