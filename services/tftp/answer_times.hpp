// How long answers took, as counters in fixed buckets: a few additions for each batch of datagrams.
// It refuses to know what was answered, clocks, and other threads.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "config/types/time_point.hpp"

namespace bramble::tftp {

class AnswerTimes {
public:
    // The last bucket has no upper end. An idle worker answers within a few system calls; what
    // takes a millisecond waited for a disk or for room in the network's queue.
    static constexpr std::array<double, 12> bounds_seconds = {
        10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 100e-3};

    // `datagrams` that were answered together, each within `took` at the most.
    void add(Duration took, std::uint64_t datagrams) {
        const double seconds = std::chrono::duration<double>(took).count();
        const auto bucket = std::ranges::lower_bound(bounds_seconds, seconds);
        counts_[static_cast<std::size_t>(bucket - bounds_seconds.begin())] += datagrams;
        sum_seconds_ += seconds * static_cast<double>(datagrams);
    }

    void add(const AnswerTimes& other) {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        sum_seconds_ += other.sum_seconds_;
    }

    using Counts = std::array<std::uint64_t, bounds_seconds.size() + 1>;

    const Counts& counts() const { return counts_; }  // not cumulative

    double sum_seconds() const { return sum_seconds_; }

private:
    Counts counts_{};
    double sum_seconds_ = 0;
};

}  // namespace bramble::tftp
