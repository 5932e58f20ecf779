// A reply's bytes from what was decided: which options, in which order, within 548 octets. It
// refuses to decide anything about addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/time_point.hpp"
#include "services/dhcp/message.hpp"

namespace bramble::dhcp {

struct NoBoot {};

// Raspberry Pi firmware: options 43, 60, 66 and 97 (fact sheet 1.4, 1.5).
struct PiBoot {
    std::string menu_text;
    std::vector<std::byte> machine_option;  // 97 to echo; empty: none is known
};

// U-Boot, UEFI, BIOS PXE, iPXE: the file's name, in `file` and option 67.
struct FileBoot {
    std::string bootfile;         // empty: the client knows one itself, and is told the server only
    std::string vendor_class;     // option 60: "PXEClient" in proxy mode, "HTTPClient"; empty: none
    bool skip_discovery = false;  // option 43 that says: take `bootfile`, ask no boot server
};

using BootData = std::variant<NoBoot, PiBoot, FileBoot>;

struct ReplyFacts {
    MessageType type = MessageType::offer;
    Ipv4Network network;  // the server's address and its network
    Ipv4Address yiaddr;   // 0.0.0.0 in DHCPNAK, in answers to DHCPINFORM and in proxy mode
    Ipv4Address ciaddr;   // 0.0.0.0, or copied into a DHCPACK
    std::optional<Duration> lease;  // none: options 51, 58 and 59 are not sent
    bool configuration = true;      // mask, router and whatever else the client asked for
    std::optional<Ipv4Address> router;
    std::vector<Ipv4Address> dns;
    std::string domain;
    std::string host_name;
    std::string root_path;
    bool tftp_server = false;  // siaddr: this server also serves the client's files
    BootData boot = NoBoot{};
    std::string message;  // option 56, in DHCPNAK
};

struct BuiltReply {
    Message message;
    unsigned options_left_out = 0;  // asked for, but there was no room
};

// The reply to `request`, RFC 2131 §4.3.1 table 3. At most min(548, option 57) octets when emitted,
// never fewer than 300.
BuiltReply build_reply(const Message& request, const ReplyFacts& facts);

}  // namespace bramble::dhcp
