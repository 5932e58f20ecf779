// Instants and spans as every core sees them: an argument, never read from a clock. It refuses to
// know what time it is.
#pragma once

#include <chrono>

namespace bramble {

using Duration = std::chrono::nanoseconds;

// 0.02 is 20 ms.
inline Duration seconds_of(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// The shell's clock: nanoseconds since 1970-01-01 UTC at program start, advancing monotonically
// from there, so that one instant orders events within a run and still means something in a lease
// that a restart reads back.
struct BrambleClock {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BrambleClock>;
    static constexpr bool is_steady = true;
};

using TimePoint = BrambleClock::time_point;

}  // namespace bramble
