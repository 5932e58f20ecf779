#include "services/doctor/bridge_frame.hpp"

#include <algorithm>
#include <array>

namespace bramble::doctor {
namespace {

constexpr std::array<std::uint8_t, 6> bridge_group{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00};
constexpr std::size_t llc_offset = 14;      // 802.3: destination, source, length
constexpr std::size_t message_offset = 17;  // LLC 42 42 03
constexpr std::size_t configuration_bytes = 35;

// Offsets within a configuration message, IEEE 802.1D-2004 figure 9-1.
constexpr std::size_t version_at = 2;
constexpr std::size_t type_at = 3;
constexpr std::size_t flags_at = 4;
constexpr std::size_t bridge_mac_at = 19;
constexpr std::size_t port_at = 25;
constexpr std::size_t forward_delay_at = 33;  // in 1/256 s; the whole seconds come first

constexpr std::uint8_t type_configuration = 0x00;
constexpr std::uint8_t type_rapid = 0x02;
constexpr std::uint8_t flag_forwarding = 0x20;  // 9.3.3

}  // namespace

std::optional<BridgeFrame> parse_bridge_frame(std::span<const std::byte> frame) {
    if (frame.size() < message_offset + configuration_bytes) return std::nullopt;
    const auto at = [&frame](std::size_t offset) {
        return std::to_integer<std::uint8_t>(frame[offset]);
    };
    for (std::size_t i = 0; i < bridge_group.size(); ++i) {
        if (at(i) != bridge_group[i]) return std::nullopt;
    }
    if (at(llc_offset) != 0x42 || at(llc_offset + 1) != 0x42) return std::nullopt;
    const auto field = [&at](std::size_t offset) { return at(message_offset + offset); };
    if (field(0) != 0 || field(1) != 0) return std::nullopt;
    const std::uint8_t type = field(type_at);
    if (type != type_configuration && type != type_rapid) return std::nullopt;

    BridgeFrame out;
    out.kind = field(version_at) >= 2 ? SpanningTree::rapid : SpanningTree::classic;
    std::array<std::uint8_t, MacAddress::size> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = field(bridge_mac_at + i);
    out.bridge = MacAddress(octets);
    // Four bits of priority, twelve of number.
    out.port = static_cast<std::uint16_t>((field(port_at) & 0x0fU) << 8U | field(port_at + 1));
    out.forward_delay_s = field(forward_delay_at);
    if (out.kind == SpanningTree::rapid) out.forwarding = (field(flags_at) & flag_forwarding) != 0;
    return out;
}

}  // namespace bramble::doctor
