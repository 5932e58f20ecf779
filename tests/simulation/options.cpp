#include "tests/simulation/options.hpp"

#include <fmt/format.h>

namespace bramble::simulation {

std::string reproduction(const Options& options, std::uint64_t seed) {
    std::string command = fmt::format(
        "fleet_simulation --seed {} --boards {} --loss {} --duplication {} --reordering {} "
        "--kernel-kib {} --minutes {}",
        seed,
        options.boards,
        options.loss_percent,
        options.duplication_percent,
        options.reordering_percent,
        options.kernel_kib,
        options.minutes_max
    );
    for (std::size_t i = 0; i < faults_count; ++i) {
        if (!options.faults.test(i)) command += fmt::format(" --without {}", fault_names[i]);
    }
    return command;
}

}  // namespace bramble::simulation
