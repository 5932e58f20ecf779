#include "services/metrics/boot_counters.hpp"

#include <algorithm>

namespace bramble::metrics {

void BootCounters::add(const boards::Boot& boot) {
    switch (boot.state) {
        case boards::BootState::up: {
            ++up;
            const double seconds = std::chrono::duration<double>(boot.total()).count();
            const auto bucket = std::ranges::lower_bound(boot_seconds_bounds, seconds);
            ++up_by_seconds[static_cast<std::size_t>(bucket - boot_seconds_bounds.begin())];
            up_seconds_sum += seconds;
            break;
        }
        case boards::BootState::superseded:
            ++superseded;
            break;
        case boards::BootState::abandoned:
            ++abandoned;
            break;
        case boards::BootState::running:
        case boards::BootState::waiting:
        case boards::BootState::stuck:
            break;  // not ended
    }
}

}  // namespace bramble::metrics
