// UDP sockets in batches: many datagrams for one system call, in both directions. It refuses to
// know what the datagrams say.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "services/io/file_descriptor.hpp"

namespace bramble::io {

struct UdpSocketOptions {
    Ipv4Address address;  // 0.0.0.0: any
    std::uint16_t port = 0;
    std::string interface;  // bound to this device only, when named
    bool broadcast = false;
    bool packet_info = false;      // tell the interface and the destination of what is received
    int receive_buffer_bytes = 0;  // 0: the machine's default
    int send_buffer_bytes = 0;
};

// Non-blocking, and never with SO_REUSEADDR: of two servers on one port, the stale one could answer
// (fact sheet 8, rule 21). Errors name the port, what holds it back, and what to do.
[[nodiscard]] Result<FileDescriptor> open_udp_socket(const UdpSocketOptions& options);

// The port that the machine chose for a socket bound to port 0.
std::uint16_t local_port(int fd);

// Datagrams that the kernel dropped because the socket's receive buffer was full; 0 when it cannot
// be asked.
std::uint64_t overflowed_datagrams(int fd);

struct ReceivedDatagram {
    Ipv4Address source;
    std::uint16_t source_port = 0;
    Ipv4Address destination;  // with packet_info
    int interface_index = 0;  // with packet_info
    bool truncated = false;   // longer than the batch's buffers
    std::span<const std::byte> bytes;
};

// Buffers for one recvmmsg, made once.
class ReceiveBatch {
public:
    ReceiveBatch(std::size_t datagrams, std::size_t bytes_each);

    // How many arrived; 0 when none is waiting. Transient errors (a pending ICMP error, a signal)
    // are taken for "none is waiting": the next turn tries again. What at() gave before is void.
    std::size_t receive(int fd);

    ReceivedDatagram at(std::size_t index) const;

    std::size_t capacity() const { return messages_.size(); }

private:
    static constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(in_pktinfo));

    std::size_t bytes_each_;
    std::vector<std::byte> storage_;
    std::vector<std::byte> control_;
    std::vector<sockaddr_in> sources_;
    std::vector<iovec> iovecs_;
    std::vector<mmsghdr> messages_;
};

// Datagrams for one sendmmsg; its buffers are made once. All leave from one address, also where the
// interface has several.
class SendBatch {
public:
    SendBatch(std::size_t datagrams, Ipv4Address source);

    std::size_t size() const { return count_; }

    bool full() const { return count_ == messages_.size(); }

    // Not when full. `bytes` must stay valid until flush().
    void add(std::span<const std::byte> bytes, Ipv4Address to, std::uint16_t port);

    // Sends what was added, without waiting, and forgets it: how many left. What could not go
    // (buffers full, no route) is passed over and does not hold back the rest.
    std::size_t flush(int fd);

private:
    static constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(in_pktinfo));

    std::size_t count_ = 0;
    std::vector<std::byte> control_;
    std::vector<sockaddr_in> addresses_;
    std::vector<iovec> iovecs_;
    std::vector<mmsghdr> messages_;
};

// What to do after a send that failed with this errno.
enum class SendFailure {
    again,       // the socket's buffer is full: wait until it is writable
    congestion,  // the device's queue is full (ENOBUFS): nothing tells when; pause a little
    refused,     // this one datagram cannot go (no route, firewall, ICMP): skip it
    offload,     // the device cannot segment (EIO): send one by one from here on
    damaged,     // the bytes are not there (EFAULT): the mapped file was cut short
};

SendFailure classify_send_error(int error);

sockaddr_in to_sockaddr(Ipv4Address address, std::uint16_t port);

}  // namespace bramble::io
