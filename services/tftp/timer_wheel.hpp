// Deadlines of many slots in a ring of buckets: arming, moving and dropping one costs the same
// whatever their number. It refuses to know what a deadline is for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/types/time_point.hpp"
#include "services/tftp/slot_table.hpp"

namespace bramble::tftp {

// A deadline is never reported early and at most one tick late. One that moves to a later instant
// costs nothing until its old bucket comes round: that is what happens with every ACK.
class TimerWheel {
public:
    static constexpr Duration tick = std::chrono::milliseconds(1);
    static constexpr std::size_t buckets = 4096;  // about four seconds; later ones wait a turn

    TimerWheel();

    void arm(Slot slot, TimePoint deadline, TimePoint now);
    void disarm(Slot slot);

    // When advance may have something to do; never later than the earliest deadline's tick.
    std::optional<TimePoint> next() const;

    // Calls due(slot) for every slot whose deadline is at or before `now`; it is disarmed before.
    template <typename Due>
    void advance(TimePoint now, Due due) {
        const std::int64_t target = now.time_since_epoch() / tick;
        std::int64_t at = first_occupied();
        while (at <= target) {
            current_ = at + 1;  // before `due` runs: what it arms belongs to a later tick
            collect(at, now);
            for (std::size_t i = 0; i < due_.size(); ++i) due(due_[i]);
            at = first_occupied();
        }
        if (current_ <= target) current_ = target + 1;
    }

    std::size_t armed() const { return armed_; }

private:
    struct Node {
        Slot previous = no_slot;
        Slot next = no_slot;
        std::int64_t tick = -1;  // the tick it waits for; -1: not armed
        TimePoint deadline{};
    };

    static std::int64_t tick_of(TimePoint deadline);  // rounded up
    void link(Slot slot, TimePoint deadline);
    void unlink(Slot slot);
    void collect(std::int64_t at, TimePoint now);
    std::int64_t first_occupied() const;  // at or after current_; INT64_MAX: nothing is armed

    std::vector<Node> nodes_;
    std::array<Slot, buckets> heads_;
    std::array<std::uint64_t, buckets / 64> occupied_{};
    std::vector<Slot> due_;
    std::int64_t current_ = 0;  // the first tick that was not yet looked at
    std::size_t armed_ = 0;
};

}  // namespace bramble::tftp
