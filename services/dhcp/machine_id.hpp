// Option 97 as Raspberry Pi firmware fills it in (fact sheet 1.2): the one reliable identity that a
// board shows. It refuses to know fleets; what it does not recognise is some other machine's UUID.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "config/types/board_model.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/serial.hpp"

namespace bramble::dhcp {

// How the firmware wrote its identity.
enum class MachineIdForm : std::uint8_t {
    rpi4,             // "RPi4": EEPROM 2020-03-04 to 2022-01-25 and 2022-02-08
    rpi4_reversed,    // "4iPR": 2022-02-04 and since 2022-02-16; a Pi 5 up to 2023-10-18
    rpi5,             // "RPi5"
    rpi5_reversed,    // "5iPR": a Pi 5 since 2023-10-30
    serial_repeated,  // the serial four times: Pi 3B+, and DHCP_OPTION97=0
    pi3_rom,          // sixteen octets 0x44: the Pi 3B boot ROM, no identity in it
    custom_prefix,    // DHCP_OPTION97 set by the user; the MAC inside gives it away
};

struct MachineId {
    MachineIdForm form{};
    std::optional<Serial> serial;          // not from a Pi 3B boot ROM
    std::optional<RevisionCode> revision;  // only the forms with a prefix have one

    // The model that the identity alone tells, if it does.
    std::optional<BoardModel> model() const;

    friend bool operator==(const MachineId&, const MachineId&) = default;
};

inline constexpr std::size_t machine_id_bytes = 17;

// Reads option 97's value. Nothing: not 17 octets of type 0, or another vendor's UUID (all zeros
// and all ones among them). `chaddr` is the sender's, needed for custom prefixes.
std::optional<MachineId> parse_machine_id(std::span<const std::byte> value, MacAddress chaddr);

// What a board of that form sends; the mirror of parse, for virtual boards and tests.
std::array<std::byte, machine_id_bytes> emit_machine_id(
    MachineIdForm form, Serial serial, RevisionCode revision, MacAddress mac
);

}  // namespace bramble::dhcp
