// What the DHCP server saw and decided, as values for boot stories, logs and metrics. It refuses to
// know who reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/types/board_model.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/serial.hpp"
#include "config/types/time_point.hpp"
#include "services/dhcp/recognition.hpp"

namespace bramble::dhcp {

// The client an event is about, as far as it is known by then.
struct Client {
    MacAddress mac;
    std::optional<Serial> serial;
    std::optional<RevisionCode> revision;
    ClientKind kind = ClientKind::plain;
    std::string board;  // its name in the fleet; empty: none

    friend bool operator==(const Client&, const Client&) = default;
};

// A DHCPDISCOVER came in: for boot firmware, the first sign of a boot.
struct Discovered {
    TransactionId xid;
    std::uint16_t secs = 0;

    friend bool operator==(const Discovered&, const Discovered&) = default;
};

struct Offered {
    Ipv4Address address;  // 0.0.0.0 in proxy mode: boot data only

    friend bool operator==(const Offered&, const Offered&) = default;
};

// The states of RFC 2131 §4.3.2 that a DHCPREQUEST can come from.
enum class RequestState : std::uint8_t { selecting, init_reboot, renewing, rebinding };

std::string_view to_string(RequestState state);

struct Acknowledged {
    Ipv4Address address;
    TimePoint expires;
    RequestState state = RequestState::selecting;

    friend bool operator==(const Acknowledged&, const Acknowledged&) = default;
};

// The boot server's answer on port 4011 (proxy mode).
struct BootServerAnswered {
    Ipv4Address address;
    std::string bootfile;

    friend bool operator==(const BootServerAnswered&, const BootServerAnswered&) = default;
};

struct Refused {  // DHCPNAK
    Ipv4Address address;
    std::string reason;

    friend bool operator==(const Refused&, const Refused&) = default;
};

struct Declined {  // the client says that somebody else has the address
    Ipv4Address address;

    friend bool operator==(const Declined&, const Declined&) = default;
};

struct Released {
    Ipv4Address address;

    friend bool operator==(const Released&, const Released&) = default;
};

enum class HoldReason : std::uint8_t {
    unknown_board,     // not in the fleet, and the fleet says to hold such boards
    not_yet,           // the boot gate said wait
    reservation_busy,  // its reserved address is leased to another client until that lease ends
    pool_exhausted,    // no address is free
    no_pool,           // no reserved address, and the fleet has no pool
    no_bootfile,       // a network boot client whose profile names nothing that it can load
};

std::string_view to_string(HoldReason reason);

// No offer was made. `detail` is the gate's reason or the other client, for people.
struct Held {
    HoldReason reason{};
    std::string detail;

    friend bool operator==(const Held&, const Held&) = default;
};

// A board that the fleet does not know wants to boot and the fleet says to enroll it.
struct EnrollWanted {
    std::string profile;

    friend bool operator==(const EnrollWanted&, const EnrollWanted&) = default;
};

// This client uses this address now: offered or acknowledged by us, or overheard from another
// server's clients.
struct AddressLearned {
    Ipv4Address address;
    bool ours = true;  // false: overheard

    friend bool operator==(const AddressLearned&, const AddressLearned&) = default;
};

// Another DHCP server answers on this wire; said at most once a minute for each server. In
// authoritative mode that is a rogue (or the fleet wants `mode: proxy`).
struct ForeignServer {
    Ipv4Address server;
    std::optional<MacAddress> mac;  // that its replies came from; none: only its clients were heard

    friend bool operator==(const ForeignServer&, const ForeignServer&) = default;
};

// The client answered another server's offer, which declines ours (RFC 2131 §3.1.4).
struct ChoseAnotherServer {
    Ipv4Address server;
    Ipv4Address address;  // that the other server offers; 0.0.0.0: not said

    friend bool operator==(const ChoseAnotherServer&, const ChoseAnotherServer&) = default;
};

// Another server was heard offering this client an address. Whether it takes that is not known yet.
struct OfferedByAnother {
    Ipv4Address server;
    Ipv4Address address;  // 0.0.0.0: boot data only

    friend bool operator==(const OfferedByAnother&, const OfferedByAnother&) = default;
};

// A probe found somebody on a pool address; it rests in quarantine.
struct AddressConflict {
    Ipv4Address address;

    friend bool operator==(const AddressConflict&, const AddressConflict&) = default;
};

using EventBody = std::variant<
    Discovered,
    Offered,
    Acknowledged,
    BootServerAnswered,
    Refused,
    Declined,
    Released,
    Held,
    EnrollWanted,
    AddressLearned,
    ForeignServer,
    AddressConflict,
    ChoseAnotherServer,
    OfferedByAnother>;

struct Event {
    TimePoint at;
    Client client;
    EventBody what;

    friend bool operator==(const Event&, const Event&) = default;
};

std::string_view name_of(const EventBody& body);  // "offered", for logs and metrics

}  // namespace bramble::dhcp
