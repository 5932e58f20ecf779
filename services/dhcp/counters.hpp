// What the DHCP server counts, as plain numbers since its start. It refuses to know how they are
// rendered.
#pragma once

#include <array>
#include <cstdint>

namespace bramble::dhcp {

// 64 bits each: at a million messages a second they last half a million years.
struct Counters {
    // By RFC 2131 type, index 1 (DISCOVER) to 8 (INFORM).
    std::array<std::uint64_t, 9> received{};
    std::array<std::uint64_t, 9> sent{};
    std::uint64_t malformed = 0;         // did not parse
    std::uint64_t replies_received = 0;  // BOOTREPLY on the server's port
    std::uint64_t hops_exceeded = 0;     // more than 16 relays
    std::uint64_t bad_relay = 0;         // giaddr is ours, or on no network of ours
    std::uint64_t odd_source = 0;        // a source address that no client or relay of ours has
    std::uint64_t bad_hardware = 0;      // a group or zero chaddr
    std::uint64_t held = 0;              // offers not made, whatever the reason
    std::uint64_t unknown_boards = 0;    // boot firmware that the fleet does not know
    std::uint64_t pool_exhausted = 0;
    std::uint64_t offers_reclaimed = 0;  // an unanswered offer's address given to somebody else
    std::uint64_t quarantined = 0;       // addresses that somebody else was found on
    std::uint64_t probes = 0;
    std::uint64_t probes_skipped = 0;    // too many at once: offered without
    std::uint64_t options_left_out = 0;  // asked for, but the reply was full
    std::uint64_t foreign_servers = 0;   // sightings
    std::uint64_t silent = 0;            // well-formed, and rightly not answered
};

}  // namespace bramble::dhcp
