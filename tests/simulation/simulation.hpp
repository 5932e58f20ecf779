// One seed: the fleet is powered on in virtual time over a network that misbehaves, until every
// board is up; what must never happen is looked for at every step. It refuses to know how a
// failure is printed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/options.hpp"

namespace bramble::simulation {

struct Result {
    std::vector<std::string> violations;  // the first `violations_max`
    std::vector<std::string> story;       // one line per board, when asked for
    unsigned boards = 0;
    unsigned booted = 0;
    double virtual_seconds = 0;  // until the last board was up
    std::uint64_t deeds = 0;
    std::uint64_t frames = 0;
    std::uint64_t frames_lost = 0;
    std::uint64_t crashes = 0;
    std::uint64_t resets = 0;
    std::uint64_t hangs = 0;            // F#1631, each ended by a power cycle
    std::uint64_t restarts = 0;         // BOOT_ORDER f
    std::uint64_t retransmissions = 0;  // of DATA, by the server
    std::uint64_t repeats = 0;          // RRQs and ACKs, by boards
    std::uint64_t kernel_fallbacks = 0;
    std::uint64_t address_changes = 0;
    std::uint64_t unreported =
        0;  // up, with a foreign address that the appliance forgot in a crash

    bool good() const { return violations.empty() && booted == boards; }
};

inline constexpr std::size_t violations_max = 20;

Result simulate(const Options& options, std::uint64_t seed);

}  // namespace bramble::simulation
