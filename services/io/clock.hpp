// The one place that reads the time: the instants that every core receives as `now`. It refuses to
// know what they are used for.
#pragma once

#include <chrono>

#include "config/types/time_point.hpp"

namespace bramble::io {

// Unix time at construction, steady from there: a clock that is set back while the program runs
// neither ends nor prolongs a lease.
class Clock {
public:
    Clock()
        : unix_at_start_(std::chrono::duration_cast<Duration>(
              std::chrono::system_clock::now().time_since_epoch()
          )),
          steady_at_start_(std::chrono::steady_clock::now()) {}

    TimePoint now() const { return to_time_point(std::chrono::steady_clock::now()); }

    TimePoint to_time_point(std::chrono::steady_clock::time_point steady) const {
        return TimePoint(
            unix_at_start_ + std::chrono::duration_cast<Duration>(steady - steady_at_start_)
        );
    }

    // Saturating: TimePoint::max() stays "never".
    std::chrono::steady_clock::time_point to_steady(TimePoint at) const {
        if (at == TimePoint::max()) return std::chrono::steady_clock::time_point::max();
        return steady_at_start_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                      at.time_since_epoch() - unix_at_start_
                                  );
    }

private:
    Duration unix_at_start_;
    std::chrono::steady_clock::time_point steady_at_start_;
};

}  // namespace bramble::io
