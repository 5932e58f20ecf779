// What the kernel (or the initramfs) reads out of cmdline.txt about its address and its root (fact
// sheet 7.2). It refuses to know every other word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "services/virtual_board/board_spec.hpp"

namespace bramble::virtual_board {

inline constexpr std::size_t cmdline_bytes_max = 2048;         // COMMAND_LINE_SIZE of arm64
inline constexpr std::size_t nfsroot_options_bytes_max = 255;  // fs/nfs/nfsroot.c, buffer of 256

struct IpByDhcp {};

// ip=client:server:gateway:mask:host:device:off
struct IpStatic {
    Ipv4Address client;
    std::optional<Ipv4Address> server;
    std::optional<Ipv4Address> gateway;
    std::optional<Ipv4Address> mask;
};

struct NfsRoot {
    std::string server;  // empty: from DHCP (option 17 or siaddr)
    std::string path;    // empty: from DHCP option 17
    std::string options;
    std::string version = "3";
    std::uint32_t rsize = 4096;
    std::uint32_t wsize = 4096;
};

struct KernelBoot {
    std::string cmdline;  // one line, as the kernel prints it
    std::variant<IpByDhcp, IpStatic> ip;
    NfsRoot root;
};

// Errors: no root=/dev/nfs, a line longer than the kernel's buffer, options longer than nfsroot's,
// an ip= that leaves no address. What stands after the first line end does not count.
[[nodiscard]] Result<KernelBoot> parse_cmdline(std::string_view text);

// Whether whoever mounts takes these options: the kernel's nfsroot always; klibc's nfsmount only
// versions 2 and 3 and no proto= (documentation#3205).
[[nodiscard]] Result<void> check_mount_options(
    const NfsRoot& root, bool initramfs, InitramfsMount mount
);

}  // namespace bramble::virtual_board
