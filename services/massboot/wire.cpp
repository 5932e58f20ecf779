#include "services/massboot/wire.hpp"

#include <algorithm>

namespace bramble::massboot {

Wire::Wire(std::uint64_t bits_per_second, Duration latency, std::uint64_t queue_octets_max)
    : bits_per_second_(std::max<std::uint64_t>(bits_per_second, 1)),
      latency_(latency),
      queue_max_(queue_octets_max == 0 ? Duration::max() : time_of(queue_octets_max)) {}

Duration Wire::time_of(std::uint64_t octets) const {
    // In whole numbers: a run gives the same figures on every machine. Up to 2 GiB at a time.
    return Duration(static_cast<Duration::rep>(octets * 8 * 1'000'000'000 / bits_per_second_));
}

std::optional<TimePoint> Wire::send(TimePoint ready, std::size_t payload_octets) {
    if (free_at_ - ready > queue_max_) {
        ++dropped_;
        return std::nullopt;
    }
    const Duration duration = time_of(std::max(payload_octets + overhead_octets, frame_octets_min));
    free_at_ = std::max(free_at_, ready) + duration;
    busy_ += duration;
    return free_at_ + latency_;
}

}  // namespace bramble::massboot
