// What kind of client a message comes from, told by the message alone. It refuses to use option 93
// (every Raspberry Pi claims to be an x86 BIOS there) and takes the MAC's vendor for no more than a
// hint.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "services/dhcp/machine_id.hpp"
#include "services/dhcp/message.hpp"

namespace bramble::dhcp {

enum class ClientKind : std::uint8_t {
    plain,        // an operating system, GRUB, a laptop: no boot firmware known to us
    pi_firmware,  // Raspberry Pi EEPROM or boot ROM, by option 97
    u_boot,       // option 60 "U-Boot.…"
    pxe,          // option 60 "PXEClient…" that is no Pi: UEFI or BIOS
    ipxe,         // option 175, or user class "iPXE"
    http_boot,    // option 60 "HTTPClient…": UEFI HTTP boot
};

std::string_view to_string(ClientKind kind);  // "pi-firmware"

constexpr bool is_boot_firmware(ClientKind kind) {
    return kind != ClientKind::plain;
}

struct Recognition {
    ClientKind kind = ClientKind::plain;
    std::optional<MachineId> machine;  // only with pi_firmware
    bool raspberry_pi_oui = false;     // a hint for people
    bool uefi = false;                 // of pxe and ipxe: architecture 6 or above

    friend bool operator==(const Recognition&, const Recognition&) = default;
};

Recognition recognise(const Message& message);

}  // namespace bramble::dhcp
