// How subcommands run an apply: with progress, and ended by a signal without losing what is done.
// It refuses to know what an apply does.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "provisioning/apply/apply.hpp"

namespace bramble::program {

// While it lives, the first SIGINT or SIGTERM asks to stop and the second ends the program.
class StopOnSignal {
public:
    StopOnSignal();
    ~StopOnSignal();
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;

    std::stop_token token() const { return source_.get_token(); }

private:
    std::stop_source source_;
    int wake_ = -1;  // eventfd that ends the waiting thread
    int signals_ = -1;
    std::thread waiter_;
};

struct ApplyWishes {
    std::function<Result<void>(const layout::Manifest&)> may_publish = nullptr;
    bool update_pins = false;
    std::set<std::string> only{};
    bool keep_going = false;
    bool as_it_happens =
        false;  // events of steps side by side, mixed; else one step's after another
};

// On all cores.
[[nodiscard]] Result<apply::Outcome> run_apply(
    const fleet::Fleet& fleet,
    const std::stop_token& stop,
    std::function<void(const apply::Event&)> on_event,
    ApplyWishes wishes = {}
);

// "generation 8 is published" or "nothing to do: …", with warnings, one a line; what failed and
// which boards kept what they had. With `only` it says no more than is known of these.
std::string describe(const apply::Outcome& outcome, const std::set<std::string>& only = {});

}  // namespace bramble::program
