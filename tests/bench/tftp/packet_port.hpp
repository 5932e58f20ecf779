// One Ethernet port with many stations behind it: frames in and out of an AF_PACKET socket, in
// batches, with ARP answered for every station. It refuses to know TFTP.
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
    std::span<const std::byte> payload;
};

class PacketPort {
public:
    static constexpr std::size_t batch_max = 256;

    // Stations have the addresses base, base+1, … and locally administered MACs that follow from
    // them.
    [[nodiscard]] static Result<PacketPort> open(
        const std::string& interface, Ipv4Address base, std::size_t stations
    );

    PacketPort(PacketPort&& other) noexcept;
    PacketPort& operator=(PacketPort&&) = delete;
    ~PacketPort();

    // Asks for the server's hardware address on behalf of the first station; waits at most five
    // seconds.
    [[nodiscard]] Result<MacAddress> resolve(Ipv4Address server);

    // Waits up to `timeout_ms` for frames, then hands over every datagram of one batch. Answers ARP
    // on the way.
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

    PacketPort(int ip_socket, int arp_socket, Ipv4Address base, std::size_t stations);
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
    Ipv4Address base_;
    std::size_t stations_ = 0;
    MacAddress server_mac_;
    std::vector<Frame> in_;
    std::vector<Frame> out_;
    std::vector<std::size_t> out_bytes_;
    std::size_t out_count_ = 0;
};

}  // namespace bramble::bench
