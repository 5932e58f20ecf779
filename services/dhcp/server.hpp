// The DHCP server (RFC 2131) as a pure machine: messages and time in, replies, lease changes,
// probes and events out. It refuses to know sockets, clocks, disks and logs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "services/dhcp/boot_gate.hpp"
#include "services/dhcp/counters.hpp"
#include "services/dhcp/event.hpp"
#include "services/dhcp/lease.hpp"
#include "services/dhcp/message.hpp"

namespace bramble::dhcp {

// How a datagram reached us.
struct Arrival {
    Ipv4Address source;  // 0.0.0.0 from a client without an address
    std::uint16_t source_port = client_port;
    std::uint16_t local_port = server_port;              // server_port or proxy_port
    Ipv4Address destination = Ipv4Address::broadcast();  // ours when it was sent to us alone
};

// Where a datagram that was not for us came from.
struct Sender {
    Ipv4Address address;
    MacAddress mac;
};

// Where a reply goes (RFC 2131 §4.1).
struct ToRelay {  // to giaddr, port 67
    Ipv4Address giaddr;

    friend bool operator==(const ToRelay&, const ToRelay&) = default;
};

struct ToClient {  // to an address that the client has and answers ARP for
    Ipv4Address address;
    std::uint16_t port = client_port;

    friend bool operator==(const ToClient&, const ToClient&) = default;
};

struct Broadcast {  // to 255.255.255.255, port 68
    friend bool operator==(const Broadcast&, const Broadcast&) = default;
};

// To an address that the client does not have yet, port 68, in a frame addressed to its hardware:
// it answers no ARP.
struct ToHardware {
    MacAddress chaddr;
    Ipv4Address yiaddr;

    friend bool operator==(const ToHardware&, const ToHardware&) = default;
};

using Destination = std::variant<ToRelay, ToClient, Broadcast, ToHardware>;

struct Reply {
    std::vector<std::byte> bytes;
    Destination destination;
    std::uint16_t local_port = server_port;  // the port that it leaves from
    MessageType type = MessageType::offer;

    friend bool operator==(const Reply&, const Reply&) = default;
};

// Ask the wire (ARP or ICMP echo) whether somebody has this address, then call on_probe_result().
struct Probe {
    Ipv4Address address;

    friend bool operator==(const Probe&, const Probe&) = default;
};

struct Outcome {
    std::vector<LeaseChange> lease_changes;  // on stable storage before any of `replies` leaves; if
                                             // that fails, drop the replies: the client asks again
    std::vector<Reply> replies;
    std::vector<Probe> probes;
    std::vector<Event> events;
};

// Who uses an address, as far as DHCP has shown.
struct Holder {
    MacAddress mac;
    std::optional<Serial> serial;
    std::string board;  // empty: not of the fleet

    friend bool operator==(const Holder&, const Holder&) = default;
};

// Not for use from more than one thread.
class Server {
public:
    // `gate` may be nullptr (everyone may boot); it must outlive the server.
    explicit Server(std::shared_ptr<const fleet::Fleet> fleet, BootGate* gate = nullptr);
    ~Server();
    Server(Server&&) noexcept;
    Server& operator=(Server&&) noexcept;

    // Takes over what an earlier run had acknowledged. Call it before the first message. Leases
    // that cannot be (an address that is not the fleet's network) are left out.
    void restore(std::span<const Lease> leases);

    // From the next message on; leases stay. The server shares the fleet with whoever else reads
    // it.
    void set_fleet(std::shared_ptr<const fleet::Fleet> fleet);

    [[nodiscard]] Outcome on_message(
        std::span<const std::byte> datagram, const Arrival& arrival, TimePoint now
    );

    // A server's message to the clients' port, heard beside our own: never answered.
    [[nodiscard]] Outcome on_overheard(
        std::span<const std::byte> datagram, const Sender& sender, TimePoint now
    );
    [[nodiscard]] Outcome on_probe_result(Ipv4Address address, bool in_use, TimePoint now);

    // Whoever made the gate say "wait" has changed its mind for this board of the fleet: its last
    // DHCPDISCOVER is put to the gate again and answered, if the board still listens for that.
    [[nodiscard]] Outcome release(const std::string& board, TimePoint now);

    // Call at or after next_deadline(): pending offers leave, unanswered ones are taken back.
    [[nodiscard]] Outcome on_deadline(TimePoint now);
    std::optional<TimePoint> next_deadline() const;

    // Who has `address` now by lease, offer (a Pi 3 boot ROM never asks for more) or overheard
    // request.
    std::optional<Holder> holder(Ipv4Address address, TimePoint now) const;

    // Leases that are not over, by address.
    std::vector<Lease> leases(TimePoint now) const;

    const Counters& counters() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace bramble::dhcp
