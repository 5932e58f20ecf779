// How boots ended, as plain numbers since the program's start. It refuses to know how they are
// rendered.
#pragma once

#include <array>
#include <cstdint>

#include "services/boards/boot.hpp"

namespace bramble::metrics {

// Seconds of a boot; a good one takes 30 to 60 (fact sheet 0). The last bucket has no upper end.
inline constexpr std::array<double, 10> boot_seconds_bounds = {
    10, 20, 30, 45, 60, 90, 120, 180, 300, 600};

// Seconds of one phase: most take a few.
inline constexpr std::array<double, 9> phase_seconds_bounds = {1, 2, 5, 10, 20, 30, 60, 120, 300};

// Counts by duration, not cumulative; the last has no upper end.
template <std::size_t bounds>
struct Durations {
    std::array<std::uint64_t, bounds + 1> counts{};
    double sum_seconds = 0;
};

struct BootCounters {
    template <class Value>
    using ByPhase = std::array<Value, boards::phase_count>;

    std::uint64_t up = 0;
    // Where a boot was when it ended without being up: the board began another, or fell silent.
    ByPhase<std::uint64_t> superseded{};
    ByPhase<std::uint64_t> abandoned{};
    // Times that a board was silent for longer than its phase may be.
    ByPhase<std::uint64_t> stuck{};
    Durations<boot_seconds_bounds.size()> up_by_seconds;
    // Phases that were passed, of boots whose beginning was seen.
    ByPhase<Durations<phase_seconds_bounds.size()>> phases_by_seconds{};

    // A boot that has ended.
    void add(const boards::Boot& boot);

    void add_stuck(boards::Phase phase) { ++stuck[static_cast<std::size_t>(phase)]; }
};

}  // namespace bramble::metrics
