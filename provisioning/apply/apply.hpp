// Makes a fleet true on disk: looks, plans, carries the plan out through the host, publishes a
// generation. It refuses to know who serves the result.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/nfs/nas.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::apply {

enum class EventKind { started, progress, finished, failed, skipped, warning };

// One thing that happens while a plan is carried out.
struct Event {
    EventKind kind = EventKind::progress;
    std::size_t step = 0;   // counts from 1; 0: of the whole
    std::size_t steps = 0;  // how many there are
    std::string name;       // "ingest image lab"
    std::string text;       // the reason, what is to be said, why it failed
    Duration took{};        // finished, failed: how long it took

    bool ends_step() const {
        return step != 0 && (kind == EventKind::finished || kind == EventKind::failed ||
                             kind == EventKind::skipped);
    }
};

// "[2/7] copy root pi-03: its base changed" and the like, without a newline.
std::string render(const Event& event);
std::string render_json(const Event& event);  // one object, one line

struct Options {
    // One at a time, but not always from the caller's thread; of several steps at once in any order
    // (see in_order.hpp). Whoever is silent for two seconds is told of by another thread.
    std::function<void(const Event&)> on_event;
    // Asked with everything built and exported, before anything is published; an error ends the run
    // and leaves the published generation as it is.
    std::function<Result<void>(const layout::Manifest& candidate)> may_publish;
    // Steps at once that do not wait for each other. More than one needs a host that several
    // threads may call.
    unsigned jobs = 1;
    // Only these boards and what they need are made and published; all others keep what the current
    // generation gives them. Empty: all of the fleet.
    std::set<std::string> only{};
    // A step that fails stops what depends on it alone: boards that need it keep what they have.
    bool keep_going = false;
    bool update_pins = false;  // what branches and `latest` mean is looked up anew
    std::stop_token stop;      // between steps and within long ones; what is done stays done
    nfs::NasOpener open_nas;   // unset: nfs::Nas::open
    // host::carry_over unless tests have another.
    std::function<Result<bool>(
        host::Host&,
        const host::Path& from,
        const host::Path& to,
        const host::Path& relative,
        const std::stop_token& stop
    )>
        carry_over;
};

struct Outcome {
    std::uint64_t generation = 0;
    bool changed = false;
    std::vector<std::string> warnings;
    std::vector<std::string> failures{};  // with keep_going: steps that failed, each with its error
    std::vector<std::string> held{};      // boards that kept what they had because of these
};

// Looks at the sources and the store; changes nothing. Problems of single images or files are in
// the answer; errors are the machine's.
[[nodiscard]] Result<plan::Observed> observe(
    const fleet::Fleet& fleet, const layout::StorePaths& store, host::Host& host
);

// Looks, plans and does, under the store's lock. What is already as it should be is left alone: a
// second run changes nothing, one after a failure goes on from there. Errors: a refused plan (every
// problem, one a line), another apply at work, the machine's. The published generation is whole
// whatever happens.
[[nodiscard]] Result<Outcome> run(
    const fleet::Fleet& fleet, const Options& options, host::Host& host
);

}  // namespace bramble::apply
