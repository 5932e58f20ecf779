// The DHCP messages of a board, byte by byte, and the strict reading of what a server answers. It
// shares no code with the server and refuses to know timers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"
#include "services/virtual_board/board_spec.hpp"

namespace bramble::virtual_board {

inline constexpr std::uint16_t dhcp_server_port = 67;
inline constexpr std::uint16_t dhcp_client_port = 68;
inline constexpr std::size_t dhcp_reply_bytes_max = 548;  // no option 57 is sent (fact sheet 1.1)
inline constexpr std::uint32_t pi3_xid = 0x26f30339;      // a constant of the ROM (fact sheet 2.8)

// The three programs of a boot that speak DHCP.
enum class DhcpStage { firmware, kernel, userspace };

// What a REQUEST names (RFC 2131 table 5, SELECTING).
struct Selection {
    Ipv4Address yiaddr;
    Ipv4Address server;
};

// firmware: fact sheet 1.1 and 2.8, byte-exact, `secs` 0; kernel: net/ipv4/ipconfig.c (1.8);
// userspace: options 12, 55, 57 and 61 as a usual client sends them.
std::vector<std::byte> make_discover(
    const BoardSpec& spec, DhcpStage stage, std::uint32_t xid, std::uint16_t secs
);
std::vector<std::byte> make_request(
    const BoardSpec& spec,
    DhcpStage stage,
    std::uint32_t xid,
    std::uint16_t secs,
    const Selection& selection
);

enum class ReplyType : std::uint8_t { offer = 2, ack = 5, nak = 6 };

// The fields and options that a board looks at.
struct DhcpReply {
    ReplyType type = ReplyType::offer;
    std::uint32_t xid = 0;
    MacAddress chaddr;
    Ipv4Address yiaddr;
    Ipv4Address siaddr;
    std::optional<Ipv4Address> mask;        // 1
    std::optional<Ipv4Address> router;      // 3
    std::optional<Ipv4Address> server;      // 54
    std::optional<std::uint32_t> lease_s;   // 51
    std::optional<std::string> root_path;   // 17
    std::string vendor_class;               // 60
    std::optional<std::string> tftp_text;   // 66, raw
    std::vector<std::byte> vendor_options;  // 43, raw
};

// Errors: not a BOOTREPLY over Ethernet, longer than 548 bytes, an option past the end, no END, an
// option twice or of the wrong length, overload (52), and for the firmware also a pad between
// options (fact sheet 8, row 4): what an early EEPROM stumbles over, none may depend on.
[[nodiscard]] Result<DhcpReply> parse_reply(std::span<const std::byte> bytes, DhcpStage stage);

// Whether option 43 has a boot menu (sub-option 9) with `text` in one of its entries (1.4).
bool boot_menu_names(std::span<const std::byte> option43, std::string_view text);

// The TFTP server that this reply gives, by the precedence of fact sheet 1.4; nothing when the
// board would not take it: a binary or host-name option 66, siaddr alone, 43 without 60.
std::optional<Ipv4Address> boot_server(
    const DhcpReply& reply, Ipv4Address source, std::string_view pxe_option43
);

}  // namespace bramble::virtual_board
