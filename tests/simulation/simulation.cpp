#include "tests/simulation/simulation.hpp"

#include <fmt/format.h>

#include "tests/simulation/world.hpp"

namespace bramble::simulation {

using virtual_board::Counters;
using virtual_board::Failure;

bool World::all_up() const {
    return up_ == options_.boards;
}

Result World::run() {
    const TimePoint end = begun_ + std::chrono::minutes(options_.minutes_max);
    while (!all_up() && agenda_.step(end)) {
    }
    Result result;
    result.virtual_seconds = std::chrono::duration<double>(agenda_.now() - begun_).count();
    final_checks(result);
    result.boards = options_.boards;
    result.booted = up_;
    result.deeds = agenda_.done();
    result.frames = network_.frames();
    result.frames_lost = network_.lost();
    result.crashes = appliance_.crashes();
    result.retransmissions = appliance_.retransmissions();
    result.resets = resets_;
    result.unreported = unreported_;
    result.violations = std::move(violations_);
    return result;
}

void World::final_checks(Result& result) {
    for (std::size_t i = 0; i < benches_.size(); ++i) {
        const SimulatedBoard& subject = fleet_.boards[i];
        const virtual_board::Board& board = *benches_[i].board;
        const Counters& counters = board.counters();
        const auto must_be_zero = [&](std::uint64_t count, std::string_view what) {
            if (count != 0) complain(fmt::format("{}: {} {}", subject.name, count, what));
        };
        must_be_zero(counters.config_lost, "config.txt ignored");
        must_be_zero(counters.bad_oacks, "BAD OACK");
        must_be_zero(counters.replies_malformed, "malformed DHCP replies");
        must_be_zero(counters.self_updates, "EEPROMs flashed");
        if (board.last_failure().failure == Failure::size_mismatch) {
            complain(subject.name + ": " + board.last_failure().detail);
        }
        if (subject.stranger) {
            must_be_zero(counters.bytes, "bytes for a board that the fleet does not know");
            must_be_zero(counters.requests, "offers taken by a board that the fleet does not know");
            continue;
        }
        if (!benches_[i].up_at) {
            complain(fmt::format(
                "{} ({}) is not up: phase {}, {}",
                subject.name,
                subject.spec.profile.name,
                to_string(board.phase()),
                board.last_failure().detail
            ));
        }
        result.hangs += counters.hangs;
        result.restarts += counters.restarts;
        result.repeats += counters.rrq_retries + counters.ack_retries;
        result.kernel_fallbacks += counters.kernel_fallbacks;
        result.address_changes += counters.address_changes;
        if (!options_.verbose) continue;
        const std::chrono::duration<double> up = benches_[i].up_at.value_or(begun_) - begun_;
        result.story.push_back(fmt::format(
            "{} {:9} up after {:7.1f} s, {} power-ons, {} restarts, {} hangs, last trouble: {}",
            subject.name,
            subject.spec.profile.name,
            up.count(),
            counters.power_ons,
            counters.restarts,
            counters.hangs,
            to_string(board.last_failure().failure)
        ));
    }
}

Result simulate(const Options& options, std::uint64_t seed) {
    return World(options, seed).run();
}

}  // namespace bramble::simulation
