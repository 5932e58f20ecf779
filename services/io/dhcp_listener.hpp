// Carries DHCP between the wire and the server's core: batches in; lease changes to stable storage;
// only then replies out, by UDP or as frames to clients that have no address yet. It refuses to
// know DHCP: the core does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "services/dhcp/server.hpp"
#include "services/io/conflict_prober.hpp"
#include "services/io/file_descriptor.hpp"
#include "services/io/loop.hpp"
#include "services/io/network_interface.hpp"
#include "services/io/packet_socket.hpp"
#include "services/io/udp_socket.hpp"

namespace bramble::io {

struct DhcpListenerOptions {
    NetworkInterface interface;
    Ipv4Address address;      // ours: the source of every reply
    bool proxy_port = false;  // also listen on 4011
};

// How the rest of the program takes part. All on the loop's thread.
struct DhcpHandlers {
    // One transaction, on stable storage when it returns. False: it is not; the replies of the
    // batch are dropped and the clients ask again.
    std::function<bool(std::span<const dhcp::LeaseChange>)> persist;
    // Called after persisting and before the replies leave, so that whoever answers an address's
    // next question already knows whose it is.
    std::function<void(std::span<const dhcp::Event>)> on_events;
};

class DhcpListener {
public:
    // Messages for one transaction: while one is on its way to the disk the next gathers, and the
    // busier the room, the fewer disk writes an exchange costs.
    static constexpr std::size_t batch_max = 128;
    static constexpr std::size_t replies_per_call = 64;
    static constexpr std::size_t datagram_bytes_max = 1500;

    struct Counters {
        std::uint64_t batches = 0;
        std::uint64_t received = 0;
        std::uint64_t truncated = 0;  // longer than any DHCP message; dropped
        std::uint64_t sent = 0;
        std::uint64_t not_sent = 0;     // buffers full, no route, link down
        std::uint64_t not_durable = 0;  // replies dropped because their lease could not be stored
    };

    // Binds the ports; nothing is read yet. Errors: ports taken, capabilities missing.
    [[nodiscard]] static Result<std::unique_ptr<DhcpListener>> open(
        Loop& loop, const DhcpListenerOptions& options
    );

    // `server` outlives the listener.
    void start(dhcp::Server& server, DhcpHandlers handlers);

    // Another server's message to a client, as whoever watches the wire heard it.
    void on_overheard(std::span<const std::byte> datagram, const dhcp::Sender& sender);

    // A board that the gate let wait may be answered now. Not from inside a handler.
    void release(const std::string& board);

    // After a change made outside a message (a new fleet): the core may have another deadline.
    void reschedule();

    const Counters& counters() const { return counters_; }

    // Datagrams that the kernel dropped because a socket's receive buffer was full.
    std::uint64_t overflowed() const;

private:
    DhcpListener(Loop& loop, DhcpListenerOptions options, PacketSocket packets);

    void on_readable(int fd, std::uint16_t local_port);
    void carry_out(std::vector<dhcp::Outcome> outcomes);
    void send(const dhcp::Reply& reply);
    void add_datagram(const dhcp::Reply& reply, Ipv4Address to, std::uint16_t port);
    void flush(std::uint16_t local_port);
    bool send_frame(const dhcp::Reply& reply, const dhcp::ToHardware& to);

    Loop& loop_;
    DhcpListenerOptions options_;
    PacketSocket packets_;
    FileDescriptor server_socket_;
    FileDescriptor proxy_socket_;
    ReceiveBatch batch_;
    SendBatch server_replies_;
    SendBatch proxy_replies_;
    dhcp::Server* server_ = nullptr;
    DhcpHandlers handlers_;
    std::optional<ConflictProber> prober_;
    Timer timer_;
    Watch server_watch_;
    Watch proxy_watch_;
    Counters counters_;
};

}  // namespace bramble::io
