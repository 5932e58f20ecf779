// fleet_simulation: seeds in, verdicts out. It refuses to know what is simulated.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>

#include "tests/simulation/options.hpp"
#include "tests/simulation/simulation.hpp"

namespace {

using namespace bramble::simulation;

std::size_t fault_index(const std::string& name) {
    const auto found = std::ranges::find(fault_names, name);
    if (found == fault_names.end()) {
        throw CLI::ValidationError(
            fmt::format("no fault '{}' (known: {})", name, fmt::join(fault_names, ", "))
        );
    }
    return static_cast<std::size_t>(found - fault_names.begin());
}

void print(const Options& options, std::uint64_t seed, const Result& result, double seconds) {
    for (const std::string& line : result.story) fmt::print("  {}\n", line);
    fmt::print(
        "seed {}: {} of {} boards up after {:.0f} s; {} frames, {} lost; {} crashes, {} resets, {} "
        "hangs, {} restarts; {} DATA and {} RRQ/ACK sent again; {} kernel fallbacks, {} address "
        "changes, {} unreported; {:.1f} s\n",
        seed,
        result.booted,
        result.boards,
        result.virtual_seconds,
        result.frames,
        result.frames_lost,
        result.crashes,
        result.resets,
        result.hangs,
        result.restarts,
        result.retransmissions,
        result.repeats,
        result.kernel_fallbacks,
        result.address_changes,
        result.unreported,
        seconds
    );
    if (!result.good()) {
        for (const std::string& violation : result.violations) fmt::print("  {}\n", violation);
        fmt::print("  reproduce: {}\n", reproduction(options, seed));
    }
    std::fflush(stdout);
}

int run(const Options& options) {
    unsigned failed = 0;
    for (std::uint64_t seed = options.seed; seed < options.seed + options.seeds; ++seed) {
        const auto begun = std::chrono::steady_clock::now();
        const Result result = simulate(options, seed);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
        print(options, seed, result, took.count());
        failed += result.good() ? 0 : 1;
    }
    fmt::print("{} of {} seeds good\n", options.seeds - failed, options.seeds);
    return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    std::vector<std::string> without;
    std::vector<std::string> only;
    CLI::App app("A fleet of virtual boards boots in virtual time, against the real server cores");
    app.add_option("--seed", options.seed, "The first seed");
    app.add_option("--seeds", options.seeds, "How many seeds, counting up");
    app.add_option("--boards", options.boards, "Boards of mixed profiles")
        ->check(CLI::Range(1, 4000));
    app.add_option("--loss", options.loss_percent, "Percent of frames lost");
    app.add_option("--duplication", options.duplication_percent, "Percent of frames doubled");
    app.add_option("--reordering", options.reordering_percent, "Percent of frames overtaken");
    app.add_option("--kernel-kib", options.kernel_kib, "Size of the kernel, others in proportion");
    app.add_option(
        "--minutes", options.minutes_max, "Virtual minutes until a board counts as failed"
    );
    app.add_option("--without", without, "Leave out this fault");
    app.add_option("--only", only, "These faults and no other");
    app.add_flag("--verbose", options.verbose, "One line per board");
    app.add_option("--trace", options.trace, "Every step of this board, \"pi-017\"");
    app.footer(fmt::format("Faults: {}", fmt::join(fault_names, ", ")));
    try {
        app.parse(argc, argv);
        if (!only.empty()) options.faults.reset();
        for (const std::string& name : only) options.faults.set(fault_index(name));
        for (const std::string& name : without) options.faults.reset(fault_index(name));
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return run(options);
}
