#include "services/bramble/provisioning.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "provisioning/apply/in_order.hpp"
#include "provisioning/host/real_host.hpp"
#include "services/bramble/apply_record.hpp"

namespace bramble::program {
namespace {

sigset_t ending_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    return set;
}

}  // namespace

// Blocked here before any thread of the apply begins, and taken by descriptor: no handler runs in
// the middle of anything.
StopOnSignal::StopOnSignal() : wake_(::eventfd(0, EFD_CLOEXEC)) {
    const sigset_t set = ending_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
    waiter_ = std::thread([this, set] {
        std::array<pollfd, 2> fds = {pollfd{signals_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
        while (::poll(fds.data(), fds.size(), -1) < 0) {
        }
        if (fds[1].revents != 0) return;
        signalfd_siginfo info{};
        if (::read(signals_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
        fmt::print(stderr, "bramble: stopping; what is done stays done (again to end at once)\n");
        source_.request_stop();
        ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        pollfd wake{wake_, POLLIN, 0};
        while (::poll(&wake, 1, -1) < 0) {
        }
    });
}

StopOnSignal::~StopOnSignal() {
    ::eventfd_write(wake_, 1);
    waiter_.join();
    ::close(wake_);
    ::close(signals_);
    const sigset_t set = ending_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Result<apply::Outcome> run_apply(
    const fleet::Fleet& fleet,
    const std::stop_token& stop,
    std::function<void(const apply::Event&)> on_event,
    ApplyWishes wishes
) {
    host::RealHost host;
    const auto now = [&host] {
        return TimePoint(std::chrono::duration_cast<Duration>(host.now().time_since_epoch()));
    };
    ApplyObserver observer(now());
    apply::Options options;
    apply::InOrder in_order(on_event);
    options.on_event = [&](const apply::Event& event) {
        observer.on_event(event);
        wishes.as_it_happens ? on_event(event) : in_order.on_event(event);
    };
    options.jobs = std::max(1U, std::thread::hardware_concurrency());
    options.only = wishes.only;
    options.keep_going = wishes.keep_going;
    options.may_publish = std::move(wishes.may_publish);
    options.update_pins = wishes.update_pins;
    options.stop = stop;
    auto outcome = apply::run(fleet, options, host);
    in_order.finish();
    // Without a store there is nobody who would read it, and the run's own error says why.
    const auto record = observer.record(outcome && outcome->failures.empty(), now());
    const layout::StorePaths store(fleet.appliance.store);
    const auto written =
        host.write_file(layout::apply_record_path(store), layout::write_apply_record(record), 0644);
    if (!written && outcome) outcome->warnings.push_back(written.error().message);
    return outcome;
}

std::string describe(const apply::Outcome& outcome, const std::set<std::string>& only) {
    std::string text;
    for (const std::string& warning : outcome.warnings) text += "warning: " + warning + "\n";
    for (const std::string& failure : outcome.failures) text += "failed: " + failure + "\n";
    if (!outcome.held.empty()) {
        text += fmt::format("these boards keep what they had: {}\n", fmt::join(outcome.held, ", "));
    }
    if (outcome.changed) {
        return text + fmt::format("generation {} is published\n", outcome.generation);
    }
    if (!outcome.failures.empty()) return text + "nothing is published\n";
    if (!only.empty()) {
        return text + fmt::format(
                          "nothing to do for {}: generation {} gives what the fleet file says\n",
                          fmt::join(only, ", "),
                          outcome.generation
                      );
    }
    return text +
           fmt::format(
               "nothing to do: generation {} is what the fleet file says\n", outcome.generation
           );
}

}  // namespace bramble::program
