// A short look at one interface's wire: sends a frame, then hands over whatever is heard until the
// time is over. It refuses to know what frames say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "config/types/result.hpp"
#include "config/types/time_point.hpp"
#include "services/io/network_interface.hpp"

namespace bramble::io {

struct WireProbe {
    std::span<const std::byte>
        frame;  // sent at the beginning and again at half time; empty: nothing
    Duration listen = std::chrono::seconds(5);
    std::function<void(std::span<const std::byte>)> on_frame;

    static constexpr std::size_t frames_max = 100'000;  // then it ends early: the wire is busy
};

// Blocks. Every frame that arrives is handed over, multicasts of bridges too. Errors: needs root or
// CAP_NET_RAW.
[[nodiscard]] Result<void> probe_wire(const NetworkInterface& interface, const WireProbe& probe);

// The payload of a UDP datagram in IPv4 over Ethernet to `port`, and who sent it; nothing for any
// other frame and for fragments.
struct HeardDatagram {
    MacAddress mac;
    Ipv4Address source;
    std::span<const std::byte> payload;
};

std::optional<HeardDatagram> udp_to_port(std::span<const std::byte> frame, std::uint16_t port);

}  // namespace bramble::io
