// One board as it lies on the bench: its identity, the settings in its EEPROM, and how long things
// take it. It refuses to know which fleet it belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/types/board_model.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/serial.hpp"
#include "config/types/time_point.hpp"
#include "services/virtual_board/profile.hpp"

namespace bramble::virtual_board {

// TFTP_PREFIX 0, 1 and 2 (fact sheet 2.4).
enum class TftpPrefix { serial, text, mac };

// The settings of bootconf.txt that concern the network (fact sheet 1.7 and 5.1).
struct Eeprom {
    std::uint32_t boot_order = 0xf2;  // nibbles from the right: 2 network, f restart, e stop
    int max_restarts = -1;            // -1: for ever
    int net_boot_max_retries = 0;     // -1: for ever
    Duration dhcp_timeout = std::chrono::seconds(45);
    Duration dhcp_req_timeout = std::chrono::seconds(4);
    Duration tftp_file_timeout = std::chrono::seconds(30);
    TftpPrefix tftp_prefix = TftpPrefix::serial;
    std::string tftp_prefix_str;  // with its trailing slash; at most 32 characters
    std::string pxe_option43 = "Raspberry Pi Boot";
    std::optional<Ipv4Address> tftp_ip;
    std::optional<Ipv4Address> client_ip;
    std::optional<Ipv4Address> subnet;
    std::optional<Ipv4Address> gateway;
    bool enable_self_update = true;
    std::uint64_t update_timestamp = 1;  // `ts:` of the image that is flashed
};

// Waits in board time. A runner that has no minutes to spend scales them.
struct Timing {
    Duration power_on = std::chrono::milliseconds(2500);  // to the start of the NETWORK boot mode
    Duration link_up = std::chrono::milliseconds(2700);
    Duration stp_delay{};  // frames both ways are lost for so long after the link came up
    Duration eeprom_think = std::chrono::microseconds(600);    // per block (fact sheet 9)
    Duration firmware_think = std::chrono::microseconds(200);  // per block
    Duration gap_min = std::chrono::milliseconds(1);           // between two files
    Duration gap_max = std::chrono::milliseconds(3);
    Duration kernel_min = std::chrono::seconds(6);  // from the last file to the kernel's own DHCP
    Duration kernel_max = std::chrono::seconds(18);
    Duration tftp_resend = std::chrono::seconds(2);  // RRQ and ACK on silence (E#74)
};

// Who mounts the root when config.txt names an initramfs: klibc's nfsmount knows versions 2 and 3
// only and rejects proto= (fact sheet 7.2); busybox hands every option to the kernel.
enum class InitramfsMount { klibc, busybox };

struct BoardSpec {
    MacAddress mac;
    Serial serial;
    RevisionCode revision{0xc03112};
    Profile profile = default_profile();
    Eeprom eeprom;
    Timing timing;
    InitramfsMount initramfs_mount = InitramfsMount::klibc;
    bool userspace_dhcp = false;  // a third DHCP exchange once userspace runs
    std::string hostname;         // what that exchange says of itself
    bool record_events = false;   // for poll_event()
    bool digests = true;          // of received files; EEPROM updates need them
    std::uint64_t seed = 1;       // of xids and waits
};

}  // namespace bramble::virtual_board
