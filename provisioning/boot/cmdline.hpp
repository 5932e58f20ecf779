// cmdline.txt: the kernel's one line, with the NFS root that Bramble gives a board. It refuses to
// know which board that is and where the line goes (cmdline.txt, pxelinux.cfg/default).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"
#include "provisioning/boot/text.hpp"

namespace bramble::boot {

// 32-bit kernels take 1024 bytes with the closing NUL, 64-bit ones 2048 (COMMAND_LINE_SIZE). A line
// knows the upper limit only; lint_tree knows which kernel it is for.
inline constexpr std::size_t cmdline_bytes_max_arm = 1023;
inline constexpr std::size_t cmdline_bytes_max = 2047;
// fs/nfs/nfsroot.c keeps mount options in 256 bytes (fact sheet 7.2).
inline constexpr std::size_t nfs_options_bytes_max = 255;

struct NfsRoot {
    std::string server;  // address or name, as the board reaches it
    std::filesystem::path path;
    std::string version = "3";  // 3, 4, 4.1, 4.2
    bool read_only = false;
    // Of a root that boards share: where this one finds what makes it itself (tftp://…); empty: the
    // root is its own.
    std::string identity{};
};

// The full form of ip=, with which the kernel needs no DHCP server. Not what boards get unless
// asked: the kernel's own DHCP (fact sheet 1.8) renews the lease that the firmware got, shows in
// the boot's story, and needs no name for the network device.
struct StaticAddress {
    Ipv4Address address;
    Ipv4Address server;
    std::optional<Ipv4Address> router;
    Ipv4Address mask;
    std::string hostname;
    std::string device = "eth0";
};

struct CmdlineInputs {
    std::optional<NfsRoot> root;                  // none: boot files only
    std::optional<StaticAddress> static_address;  // unset: ip=dhcp
    std::vector<std::string> profile;             // parameters, each perhaps several words
    std::vector<std::string> board;
    std::string image;  // the image's own cmdline.txt: used when profile and board say nothing
};

// PARAMETERS root=/dev/nfs nfsroot=SERVER:PATH,vers=V,tcp,rsize=131072,wsize=131072 rw ip=dhcp
// rootwait
//
// vers= and tcp are the forms that the kernel's nfsroot, klibc's nfsmount and our initramfs all
// take (klibc rejects proto=); the sizes stand there because the kernel's own default is 4096. A
// shared root has bramble.shared=IDENTITY besides, which our initramfs alone understands. What
// stands behind a "--" is init's, and follows all of it.
Text make_cmdline(const CmdlineInputs& inputs);

// What of a stock cmdline.txt is worth keeping: without root=, first-boot resizing and the like.
std::vector<std::string> stock_parameters(std::string_view cmdline);

}  // namespace bramble::boot
