#include "services/dhcp/machine_id.hpp"

#include "config/types/ipv4.hpp"
#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::dhcp {
namespace {

// The prefix's four octets read in wire order.
constexpr std::uint32_t prefix_rpi4 = 0x52506934;           // "RPi4"
constexpr std::uint32_t prefix_rpi4_reversed = 0x34695052;  // "4iPR"
constexpr std::uint32_t prefix_rpi5 = 0x52506935;           // "RPi5"
constexpr std::uint32_t prefix_rpi5_reversed = 0x35695052;  // "5iPR"
constexpr std::uint32_t pi3_rom_word = 0x44444444;
constexpr std::uint32_t new_style_revision = 1U << 23U;

// Only the prefix changed its byte order over the years; revision and serial stayed little-endian
// (fact sheet 1.2).
constexpr std::uint32_t swapped(std::uint32_t word) {
    return word >> 24U | (word >> 8U & 0xff00U) | (word << 8U & 0xff0000U) | word << 24U;
}

std::optional<MachineIdForm> form_of(std::uint32_t prefix) {
    switch (prefix) {
        case prefix_rpi4:
            return MachineIdForm::rpi4;
        case prefix_rpi4_reversed:
            return MachineIdForm::rpi4_reversed;
        case prefix_rpi5:
            return MachineIdForm::rpi5;
        case prefix_rpi5_reversed:
            return MachineIdForm::rpi5_reversed;
        default:
            return std::nullopt;
    }
}

std::uint32_t prefix_of(MachineIdForm form) {
    switch (form) {
        case MachineIdForm::rpi4:
            return prefix_rpi4;
        case MachineIdForm::rpi4_reversed:
            return prefix_rpi4_reversed;
        case MachineIdForm::rpi5:
            return prefix_rpi5;
        case MachineIdForm::rpi5_reversed:
            return prefix_rpi5_reversed;
        default:
            return 0x11223344;  // a user's own DHCP_OPTION97
    }
}

std::uint32_t tail_of(MacAddress mac) {
    const auto& o = mac.octets();
    return Ipv4Address(std::array<std::uint8_t, 4>{o[2], o[3], o[4], o[5]}).value();
}

}  // namespace

std::optional<BoardModel> MachineId::model() const {
    if (revision && revision->model()) return revision->model();
    switch (form) {
        case MachineIdForm::pi3_rom:
            return BoardModel::pi3;
        case MachineIdForm::rpi5:
        case MachineIdForm::rpi5_reversed:
            return BoardModel::pi5;
        default:
            return std::nullopt;
    }
}

std::optional<MachineId> parse_machine_id(std::span<const std::byte> value, MacAddress chaddr) {
    if (value.size() != machine_id_bytes) return std::nullopt;
    ByteReader reader(value);
    if (*reader.u8() != 0) return std::nullopt;  // RFC 4578 §2.3: type 0 is the only one
    const std::uint32_t first = *reader.u32();
    const std::uint32_t revision = *reader.u32();
    const std::uint32_t mac_tail = *reader.u32();
    const std::uint32_t last = *reader.u32();

    if (first == revision && first == mac_tail && first == last) {
        if (first == 0 || first == 0xffffffffU) return std::nullopt;  // "no UUID" of a PC
        if (first == pi3_rom_word) return MachineId{MachineIdForm::pi3_rom, {}, {}};
        return MachineId{MachineIdForm::serial_repeated, Serial(swapped(first)), {}};
    }
    const Serial serial(swapped(last));
    const RevisionCode code(swapped(revision));
    if (const auto form = form_of(first)) return MachineId{*form, serial, code};
    // DHCP_OPTION97 lets a user replace the prefix; what follows keeps its layout. The EEPROM of
    // 2020-03-04 sent zeros for the MAC, but with its own prefix.
    if (mac_tail == tail_of(chaddr) && (code.value() & new_style_revision) != 0) {
        return MachineId{MachineIdForm::custom_prefix, serial, code};
    }
    return std::nullopt;
}

std::array<std::byte, machine_id_bytes> emit_machine_id(
    MachineIdForm form, Serial serial, RevisionCode revision, MacAddress mac
) {
    std::array<std::byte, machine_id_bytes> out{};
    ByteWriter writer(out);
    writer.u8(0);
    if (form == MachineIdForm::serial_repeated || form == MachineIdForm::pi3_rom) {
        const std::uint32_t word =
            form == MachineIdForm::pi3_rom ? pi3_rom_word : swapped(serial.value());
        for (int i = 0; i < 4; ++i) writer.u32(word);
        return out;
    }
    writer.u32(prefix_of(form));
    writer.u32(swapped(revision.value()));
    writer.u32(tail_of(mac));
    writer.u32(swapped(serial.value()));
    return out;
}

}  // namespace bramble::dhcp
