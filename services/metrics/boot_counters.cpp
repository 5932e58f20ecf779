#include "services/metrics/boot_counters.hpp"

#include <algorithm>

namespace bramble::metrics {
namespace {

template <std::size_t count>
void observe(Durations<count>& into, const std::array<double, count>& bounds, Duration took) {
    const double seconds = std::chrono::duration<double>(took).count();
    const auto bucket = std::ranges::lower_bound(bounds, seconds);
    ++into.counts[static_cast<std::size_t>(bucket - bounds.begin())];
    into.sum_seconds += seconds;
}

}  // namespace

void BootCounters::add(const boards::Boot& boot) {
    const auto phase = static_cast<std::size_t>(boot.phase);
    switch (boot.state) {
        case boards::BootState::up:
            ++up;
            observe(up_by_seconds, boot_seconds_bounds, boot.total());
            break;
        case boards::BootState::superseded:
            ++superseded[phase];
            break;
        case boards::BootState::abandoned:
            ++abandoned[phase];
            break;
        case boards::BootState::running:
        case boards::BootState::waiting:
        case boards::BootState::stuck:
            return;  // not ended
    }
    if (boot.partial) return;
    const bool passed_last = boot.state == boards::BootState::up;
    for (std::size_t i = 0; i < boards::phase_count; ++i) {
        if (i == phase && !passed_last) continue;  // it ended there, whenever that was noticed
        if (const auto took = boot.duration(static_cast<boards::Phase>(i))) {
            observe(phases_by_seconds[i], phase_seconds_bounds, *took);
        }
    }
}

}  // namespace bramble::metrics
