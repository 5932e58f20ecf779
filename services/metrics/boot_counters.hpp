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

struct BootCounters {
    std::uint64_t up = 0;
    std::uint64_t superseded = 0;  // the board began another boot before it was up
    std::uint64_t abandoned = 0;   // it fell silent
    std::uint64_t stuck = 0;       // times that a board was silent for longer than its phase may be
    std::array<std::uint64_t, boot_seconds_bounds.size() + 1> up_by_seconds{};  // not cumulative
    double up_seconds_sum = 0;

    // A boot that has ended.
    void add(const boards::Boot& boot);
};

}  // namespace bramble::metrics
