// One direction of the link that all boards share: frames leave one after another at the link's
// speed and arrive a little later, in their order. It refuses to know what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/types/time_point.hpp"

namespace bramble::massboot {

class Wire {
public:
    // Around the UDP payload: headers of UDP, IPv4 and Ethernet with its checksum, preamble and
    // gap.
    static constexpr std::size_t overhead_octets = 8 + 20 + 14 + 4 + 8 + 12;
    static constexpr std::size_t frame_octets_min = 64 + 8 + 12;

    // `queue_octets_max` may wait for their turn, what exceeds it is dropped; 0: no bound.
    Wire(std::uint64_t bits_per_second, Duration latency, std::uint64_t queue_octets_max = 0);

    // When the last octet of a datagram with so many octets of UDP payload is there, if the sender
    // has it ready at `ready`; nothing: dropped. Call in the order of `ready`.
    std::optional<TimePoint> send(TimePoint ready, std::size_t payload_octets);

    Duration busy() const { return busy_; }  // with sending, up to the last frame

    std::uint64_t dropped() const { return dropped_; }

private:
    Duration time_of(std::uint64_t octets) const;

    std::uint64_t bits_per_second_;
    Duration latency_;
    Duration queue_max_;
    TimePoint free_at_{};
    Duration busy_{};
    std::uint64_t dropped_ = 0;
};

}  // namespace bramble::massboot
