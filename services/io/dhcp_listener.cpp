#include "services/io/dhcp_listener.hpp"

#include <array>
#include <cerrno>
#include <variant>

#include "services/io/frames.hpp"

namespace bramble::io {
namespace {

constexpr int receive_buffer_bytes = 1024 * 1024;  // a room full of boards powers up at once

Result<FileDescriptor> open_socket(const DhcpListenerOptions& options, std::uint16_t port) {
    UdpSocketOptions socket;
    socket.port = port;
    // On the boards' interface only: what another network's clients ask is none of ours.
    socket.interface = options.interface.name;
    socket.broadcast = true;
    socket.packet_info = true;
    socket.receive_buffer_bytes = receive_buffer_bytes;
    return open_udp_socket(socket);
}

}  // namespace

DhcpListener::DhcpListener(Loop& loop, DhcpListenerOptions options, PacketSocket packets)
    : loop_(loop),
      options_(std::move(options)),
      packets_(std::move(packets)),
      batch_(batch_max, datagram_bytes_max),
      server_replies_(replies_per_call, options_.address),
      proxy_replies_(replies_per_call, options_.address) {}

Result<std::unique_ptr<DhcpListener>> DhcpListener::open(
    Loop& loop, const DhcpListenerOptions& options
) {
    auto packets = PacketSocket::open(options.interface);
    if (!packets) return tl::unexpected(packets.error());
    std::unique_ptr<DhcpListener> listener(new DhcpListener(loop, options, std::move(*packets)));
    auto server = open_socket(options, dhcp::server_port);
    if (!server) return tl::unexpected(server.error());
    listener->server_socket_ = std::move(*server);
    if (options.proxy_port) {
        auto proxy = open_socket(options, dhcp::proxy_port);
        if (!proxy) return tl::unexpected(proxy.error());
        listener->proxy_socket_ = std::move(*proxy);
    }
    return listener;
}

void DhcpListener::start(dhcp::Server& server, DhcpHandlers handlers) {
    server_ = &server;
    handlers_ = std::move(handlers);
    timer_ = loop_.make_timer([this] { carry_out({server_->on_deadline(loop_.now())}); });
    prober_
        .emplace(loop_, packets_, options_.interface.mac, [this](Ipv4Address address, bool in_use) {
            carry_out({server_->on_probe_result(address, in_use, loop_.now())});
        });
    server_watch_ = loop_.watch_readable(server_socket_.get(), [this] {
        on_readable(server_socket_.get(), dhcp::server_port);
    });
    if (proxy_socket_.is_open()) {
        proxy_watch_ = loop_.watch_readable(proxy_socket_.get(), [this] {
            on_readable(proxy_socket_.get(), dhcp::proxy_port);
        });
    }
    reschedule();
}

void DhcpListener::on_overheard(std::span<const std::byte> datagram, const dhcp::Sender& sender) {
    carry_out({server_->on_overheard(datagram, sender, loop_.now())});
}

void DhcpListener::release(const std::string& board) {
    carry_out({server_->release(board, loop_.now())});
}

std::uint64_t DhcpListener::overflowed() const {
    return overflowed_datagrams(server_socket_.get()) + overflowed_datagrams(proxy_socket_.get());
}

void DhcpListener::reschedule() {
    if (const auto deadline = server_->next_deadline()) {
        timer_.expire_at(*deadline);
    } else {
        timer_.cancel();
    }
}

void DhcpListener::on_readable(int fd, std::uint16_t local_port) {
    const std::size_t count = batch_.receive(fd);
    if (count == 0) return;
    ++counters_.batches;
    counters_.received += count;
    const TimePoint now = loop_.now();
    std::vector<dhcp::Outcome> outcomes;
    outcomes.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const ReceivedDatagram datagram = batch_.at(i);
        if (datagram.truncated) {
            ++counters_.truncated;
            continue;
        }
        const dhcp::Arrival arrival{datagram.source, datagram.source_port, local_port};
        outcomes.push_back(server_->on_message(datagram.bytes, arrival, now));
    }
    carry_out(std::move(outcomes));
}

// The order is the promise: an acknowledged lease is on stable storage before its ACK leaves.
void DhcpListener::carry_out(std::vector<dhcp::Outcome> outcomes) {
    std::vector<dhcp::LeaseChange> changes;
    std::vector<dhcp::Event> events;
    for (dhcp::Outcome& outcome : outcomes) {
        std::move(
            outcome.lease_changes.begin(), outcome.lease_changes.end(), std::back_inserter(changes)
        );
        std::move(outcome.events.begin(), outcome.events.end(), std::back_inserter(events));
    }
    const bool durable = changes.empty() || handlers_.persist(changes);
    if (!durable) {
        // Its reply does not leave: nothing was acknowledged.
        std::erase_if(events, [](const dhcp::Event& event) {
            return std::holds_alternative<dhcp::Acknowledged>(event.what);
        });
    }
    if (!events.empty()) handlers_.on_events(events);
    for (const dhcp::Outcome& outcome : outcomes) {
        for (const dhcp::Reply& reply : outcome.replies) {
            if (durable) {
                send(reply);
            } else {
                ++counters_.not_durable;
            }
        }
        for (const dhcp::Probe& probe : outcome.probes) prober_->probe(probe.address);
    }
    flush(dhcp::server_port);
    flush(dhcp::proxy_port);
    reschedule();
}

// The reply's bytes are read by the flush() that follows.
void DhcpListener::send(const dhcp::Reply& reply) {
    struct Sender {
        DhcpListener& listener;
        const dhcp::Reply& reply;

        void operator()(const dhcp::ToRelay& to) const {
            listener.add_datagram(reply, to.giaddr, dhcp::server_port);
        }

        void operator()(const dhcp::ToClient& to) const {
            listener.add_datagram(reply, to.address, to.port);
        }

        void operator()(const dhcp::Broadcast&) const {
            listener.add_datagram(reply, Ipv4Address::broadcast(), dhcp::client_port);
        }

        void operator()(const dhcp::ToHardware& to) const {
            const bool sent = listener.send_frame(reply, to);
            ++(sent ? listener.counters_.sent : listener.counters_.not_sent);
        }
    };

    std::visit(Sender{*this, reply}, reply.destination);
}

void DhcpListener::add_datagram(const dhcp::Reply& reply, Ipv4Address to, std::uint16_t port) {
    SendBatch& batch = reply.local_port == dhcp::proxy_port ? proxy_replies_ : server_replies_;
    if (batch.full()) flush(reply.local_port);
    batch.add(reply.bytes, to, port);
}

void DhcpListener::flush(std::uint16_t local_port) {
    const bool proxy = local_port == dhcp::proxy_port;
    SendBatch& batch = proxy ? proxy_replies_ : server_replies_;
    const std::size_t count = batch.size();
    const std::size_t sent = batch.flush(proxy ? proxy_socket_.get() : server_socket_.get());
    counters_.sent += sent;
    counters_.not_sent += count - sent;
}

bool DhcpListener::send_frame(const dhcp::Reply& reply, const dhcp::ToHardware& to) {
    std::array<std::byte, ethernet_header_bytes + 1500> frame{};
    const std::size_t size = write_udp_frame(
        frame,
        UdpEndpoint{options_.interface.mac, options_.address, reply.local_port},
        UdpEndpoint{to.chaddr, to.yiaddr, dhcp::client_port},
        reply.bytes
    );
    return size != 0 && packets_.send(std::span(frame).first(size));
}

}  // namespace bramble::io
