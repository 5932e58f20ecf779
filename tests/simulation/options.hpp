// What one run of the fleet simulation is asked to do, from and to a command line. It refuses to
// know how faults are made.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

namespace bramble::simulation {

// The faults of fact sheet 10.3, each of which a seed may strike any board with.
enum class Fault : std::uint8_t {
    loss,         // of any frame, both ways
    duplication,  // by the network
    reordering,
    first_discover,  // lost
    offer,           // the first one lost
    dhcp_ack,        // the first one lost
    last_tftp_ack,   // lost: nobody repairs it
    rrq_twice,       // by the network, each
    reset,           // power cycles in mid-transfer: old source ports within seconds
    equal_prefix,    // two boards with one TFTP_PREFIX_STR
    stampede,        // 64 boards in the same 100 ms
    retry_storm,     // 50 RRQ/s beside a board's own, for its own and for others' files
    foreign_dhcp,    // another server answers first, with an address only
    crash,           // of the server, which keeps nothing but committed leases
};

inline constexpr std::size_t faults_count = 14;
inline constexpr std::array<std::string_view, faults_count> fault_names = {
    "loss",
    "duplication",
    "reordering",
    "first-discover",
    "offer",
    "dhcp-ack",
    "last-tftp-ack",
    "rrq-twice",
    "reset",
    "equal-prefix",
    "stampede",
    "retry-storm",
    "foreign-dhcp",
    "crash"};

struct Options {
    std::uint64_t seed = 1;
    unsigned seeds = 1;  // seed, seed + 1, …
    unsigned boards = 200;
    double loss_percent = 2;
    double duplication_percent = 1;
    double reordering_percent = 2;
    unsigned kernel_kib = 24;    // the other files keep their proportions
    unsigned minutes_max = 240;  // of virtual time
    std::bitset<faults_count> faults = std::bitset<faults_count>().set();
    bool verbose = false;
    std::string trace;  // a board whose every step is printed as it happens; empty: none

    bool has(Fault fault) const { return faults.test(static_cast<std::size_t>(fault)); }
};

// The command that runs this very seed again.
std::string reproduction(const Options& options, std::uint64_t seed);

}  // namespace bramble::simulation
