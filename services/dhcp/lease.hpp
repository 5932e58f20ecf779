// A lease as everyone who keeps one sees it. It refuses to know where it is stored and how
// addresses are chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/serial.hpp"
#include "config/types/time_point.hpp"

namespace bramble::dhcp {

// One acknowledged address. At most one lease per address exists. A lease whose time is over is
// still worth keeping: its client is offered the same address again (RFC 2131 §4.3.1).
struct Lease {
    Ipv4Address address;
    MacAddress mac;
    std::vector<std::uint8_t> client_id;  // option 61 where it identifies the client, 2 to 255
                                          // octets; empty: `mac` does
    std::optional<Serial> serial;         // what option 97 said earlier in the same boot
    std::string board;                    // its name in the fleet; empty: none
    std::string hostname;                 // letters, digits, hyphens, at most 63; empty: not told
    TimePoint granted;
    TimePoint expires;

    friend bool operator==(const Lease&, const Lease&) = default;
};

// Replaces whatever the store has for lease.address.
struct PutLease {
    Lease lease;

    friend bool operator==(const PutLease&, const PutLease&) = default;
};

// The store forgets the address.
struct RemoveLease {
    Ipv4Address address;

    friend bool operator==(const RemoveLease&, const RemoveLease&) = default;
};

using LeaseChange = std::variant<PutLease, RemoveLease>;

}  // namespace bramble::dhcp
