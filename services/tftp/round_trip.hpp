// How long to wait for an acknowledgement before sending again: learnt from a transfer's own round
// trips, never below a floor. It refuses to read a clock.
#pragma once

#include "config/types/time_point.hpp"

namespace bramble::tftp {

struct RetransmitLimits {
    // Some firmware hangs on a DATA that it already had (fact sheet 2.2): below one second is for
    // boards that are known to be sound.
    Duration floor = std::chrono::seconds(1);
    Duration ceiling = std::chrono::seconds(4);

    friend bool operator==(const RetransmitLimits&, const RetransmitLimits&) = default;
};

// Smoothed round trip and its variation as in RFC 6298 §2; the caller gives no samples of
// retransmitted blocks (Karn's rule).
class RoundTrip {
public:
    static constexpr Duration initial = std::chrono::seconds(1);

    void sample(Duration measured);

    // The wait before the `attempt`-th retransmission in a row, counted from 0: it doubles each
    // time, up to the ceiling.
    Duration timeout(const RetransmitLimits& limits, unsigned attempt) const;

    Duration smoothed() const { return smoothed_; }

private:
    Duration smoothed_{0};  // 0: no sample yet
    Duration variation_{0};
};

}  // namespace bramble::tftp
