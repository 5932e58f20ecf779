#include "services/tftp/round_trip.hpp"

#include <algorithm>

namespace bramble::tftp {

void RoundTrip::sample(Duration measured) {
    if (measured <= Duration(0)) measured = Duration(1);
    longest_ = std::max(longest_, measured);
    if (smoothed_ == Duration(0)) {  // RFC 6298 (2.2)
        smoothed_ = measured;
        variation_ = measured / 2;
        return;
    }
    const Duration error = measured > smoothed_ ? measured - smoothed_ : smoothed_ - measured;
    variation_ += (error - variation_) / 4;  // (2.3)
    smoothed_ += (measured - smoothed_) / 8;
}

Duration RoundTrip::timeout(const RetransmitLimits& limits, unsigned attempt) const {
    Duration wait = smoothed_ == Duration(0) ? initial : smoothed_ + 4 * variation_;
    wait = std::max({wait, limits.floor, hasty_ ? initial : std::min(2 * longest_, initial)});
    const Duration ceiling = std::max(limits.ceiling, limits.floor);
    for (unsigned i = 0; i < attempt && wait < ceiling; ++i) wait *= 2;
    return std::min(wait, ceiling);
}

}  // namespace bramble::tftp
