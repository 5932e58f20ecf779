// One Ethernet port with many stations behind it: frames in from a ring that an AF_PACKET socket
// shares with the kernel, frames out in batches, ARP answered for every station. It refuses to know
// TFTP.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"

namespace bramble::bench {

struct Station {
    MacAddress mac;
    Ipv4Address ip;
};

struct UdpIn {
    Ipv4Address source;
    Ipv4Address destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::size_t payload_bytes = 0;       // as long as it was on the wire
    std::span<const std::byte> payload;  // its beginning: enough for every header and option
};

class PacketPort {
public:
    static constexpr std::size_t batch_max = 256;

    // Stations have the addresses base, base+1, … and locally administered MACs that follow from
    // them. The ring holds `frames` that nobody has looked at yet: a ring no larger than needed
    // stays in the processor's cache, and the kernel fills it on the server's core.
    [[nodiscard]] static Result<PacketPort> open(
        const std::string& interface, Ipv4Address base, std::size_t stations, std::size_t frames
    );

    PacketPort(PacketPort&& other) noexcept;
    PacketPort& operator=(PacketPort&&) = delete;
    ~PacketPort();

    // Asks for the server's hardware address on behalf of the first station; waits at most five
    // seconds.
    [[nodiscard]] Result<MacAddress> resolve(Ipv4Address server);

    // Waits up to `timeout_ms` for frames, then hands over what is there, at most batch_max
    // datagrams. Answers ARP on the way.
    void receive(int timeout_ms, const std::function<void(const UdpIn&)>& on_datagram);

    // Queues one datagram; flush() sends what is queued with one call.
    void send(
        const Station& from,
        std::uint16_t from_port,
        Ipv4Address to,
        std::uint16_t to_port,
        std::span<const std::byte> payload
    );
    void flush();

    Station station(std::size_t index) const;

private:
    static constexpr std::size_t frame_max = 2048;
    using Frame = std::array<std::byte, frame_max>;

    // The beginning of each frame only: boards are other machines, so what it costs to take in a
    // payload must not weigh on this one.
    static constexpr std::size_t ring_frame_bytes = 256;
    static constexpr std::size_t ring_block_bytes = 1U << 16U;
    static constexpr unsigned arp_every = 64;  // calls of receive() that find frames at once

    // Memory that the kernel writes frames into.
    struct Ring {
        std::byte* octets = nullptr;  // nullptr: the kernel refused, see errno
        std::size_t frames = 0;

        std::size_t bytes() const { return frames * ring_frame_bytes; }
    };

    PacketPort(int ip_socket, int arp_socket, Ring ring, Ipv4Address base, std::size_t stations);
    static Ring map_ring(int ip_socket, std::size_t frames);
    bool frame_waits() const;
    void wait_for_frames(int timeout_ms);
    void answer_arp();
    void send_arp(
        std::uint16_t operation,
        const Station& from,
        Ipv4Address to,
        MacAddress to_mac,
        bool broadcast
    );

    int ip_socket_ = -1;
    int arp_socket_ = -1;
    Ring ring_;
    std::size_t ring_next_ = 0;
    unsigned since_arp_ = 0;
    Ipv4Address base_;
    std::size_t stations_ = 0;
    MacAddress server_mac_;
    std::vector<Frame> out_;
    std::vector<std::size_t> out_bytes_;
    std::size_t out_count_ = 0;
};

}  // namespace bramble::bench
