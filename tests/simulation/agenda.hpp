// Virtual time: what is to happen when, and a generator whose every number follows from the seed.
// It refuses to know what happens.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "config/types/time_point.hpp"

namespace bramble::simulation {

// SplitMix64: the same numbers on every platform.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
        z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ z >> 27U) * 0x94d049bb133111ebULL;
        return z ^ z >> 31U;
    }

    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

    bool percent(double chance) {
        return static_cast<double>(next() >> 11U) * 0x1p-53 * 100.0 < chance;
    }

    Duration between(Duration low, Duration high) {
        return low + Duration(static_cast<Duration::rep>(
                         below(static_cast<std::uint64_t>((high - low).count()) + 1)
                     ));
    }

private:
    std::uint64_t state_;
};

class Agenda {
public:
    using Deed = std::function<void()>;

    TimePoint now() const { return now_; }

    // Deeds of one instant happen in the order in which they were put down.
    void at(TimePoint when, Deed deed) {
        queue_.push({when < now_ ? now_ : when, sequence_++, std::move(deed)});
    }

    void after(Duration delay, Deed deed) { at(now_ + delay, std::move(deed)); }

    // Does the next deed; false: there is none before `end`.
    bool step(TimePoint end) {
        if (queue_.empty() || queue_.top().when > end) return false;
        Entry entry = queue_.top();
        queue_.pop();
        now_ = entry.when;
        ++done_;
        entry.deed();
        return true;
    }

    std::uint64_t done() const { return done_; }

private:
    struct Entry {
        TimePoint when;
        std::uint64_t sequence;
        Deed deed;

        friend bool operator<(const Entry& a, const Entry& b) {
            return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
        }
    };

    TimePoint now_{std::chrono::hours(24 * 365 * 55)};  // some day in 2024
    std::uint64_t sequence_ = 0;
    std::uint64_t done_ = 0;
    std::priority_queue<Entry> queue_;
};

}  // namespace bramble::simulation
