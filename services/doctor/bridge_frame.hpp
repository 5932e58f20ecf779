// A bridge's spanning-tree message (IEEE 802.1D-2004 clause 9, BPDU) as seen from a board's port.
// It refuses to know sockets and what the port should be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "config/types/mac_address.hpp"

namespace bramble::doctor {

enum class SpanningTree { classic, rapid };  // protocol version 0; 2 and above

struct BridgeFrame {
    SpanningTree kind = SpanningTree::classic;
    MacAddress bridge;               // that sends, from its bridge identifier
    std::uint16_t port = 0;          // its port identifier's number
    unsigned forward_delay_s = 0;    // a port that is no edge port is deaf for twice as long
    std::optional<bool> forwarding;  // rapid only: whether the port that sent it forwards by now

    friend bool operator==(const BridgeFrame&, const BridgeFrame&) = default;
};

// Nothing for any other frame. `frame` begins with the Ethernet header.
std::optional<BridgeFrame> parse_bridge_frame(std::span<const std::byte> frame);

}  // namespace bramble::doctor
