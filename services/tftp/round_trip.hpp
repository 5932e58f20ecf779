// How long to wait for an acknowledgement before sending again: learnt from a transfer's own round
// trips, never below a floor. It refuses to read a clock.
#pragma once

#include "config/types/time_point.hpp"

namespace bramble::tftp {

struct RetransmitLimits {
    // Some firmware hangs on a DATA that it already had (fact sheet 2.2): it is above every pause
    // of a board's own. Every board waits for it when a packet is lost, so new firmware may have
    // less.
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

    // The client had what was sent again: from now on one second is the least.
    void was_hasty() { hasty_ = true; }

    // The wait before the `attempt`-th retransmission in a row, counted from 0: it doubles each
    // time, up to the ceiling. A board that paused once may do so again: below one second it is
    // never less than twice the longest round trip of the transfer.
    Duration timeout(const RetransmitLimits& limits, unsigned attempt) const;

    Duration smoothed() const { return smoothed_; }

private:
    Duration smoothed_{0};  // 0: no sample yet
    Duration variation_{0};
    Duration longest_{0};
    bool hasty_ = false;
};

}  // namespace bramble::tftp
