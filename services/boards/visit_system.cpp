// What is seen of the running system: its root, its report, its heartbeats, its console.
#include <fmt/format.h>

#include "config/types/text.hpp"
#include "services/boards/diagnosis.hpp"
#include "services/boards/visit.hpp"

namespace bramble::boards {

// A kernel with a static address speaks to the NFS server first.
void Tracker::Visit::operator()(const Knocked& knocked) const {
    if (!is_open(story) || story.boot->phase < Phase::kernel) return;
    Boot& boot = *story.boot;
    if (boot.phase == Phase::userspace) return;
    boot.knocked[static_cast<std::size_t>(knocked.door)] = true;
    if (knocked.again) {  // a sign of life, but not one of getting on
        ++boot.knocks_unanswered;
        return;
    }
    wake(boot);
    if (boot.phase == Phase::kernel) {
        enter(boot, Phase::root);
        say(Phase::kernel, "runs and asks the NFS server");
    }
}

void Tracker::Visit::operator()(const Mounted& /*mounted*/) const {
    if (!is_open(story) || story.boot->phase < Phase::kernel) return;
    Boot& boot = *story.boot;
    wake(boot);
    boot.knocks_unanswered = 0;
    if (boot.phase == Phase::userspace) return;
    enter(boot, Phase::userspace);
    say(Phase::root, "is mounted");
}

void Tracker::Visit::operator()(const ReportedUp& up) const {
    const bool said_before = story.boot && story.boot->state == BootState::up;
    if (!said_before) {
        const bool seen = is_open(story);
        if (!seen) begin(Phase::userspace).partial = true;
        Boot& boot = *story.boot;
        boot.last_event = at;
        boot.diagnosis.clear();
        boot.heartbeat = up.heartbeat;
        const std::string expected = boot.kernel;
        if (!up.kernel.empty()) boot.kernel = printable(up.kernel);
        end(BootState::up);
        say("up", seen ? "after " + describe_boot(boot) : "its boot was not seen");
        if (!expected.empty() && boot.kernel != expected) {
            say("up",
                fmt::format(
                    "it runs kernel {}, and its generation has {}: its modules may be missing",
                    boot.kernel,
                    expected
                ),
                Weight::alarm);
        }
    }
    if (story.boot->heartbeat > Duration::zero()) (*this)(Heartbeat{});
}

void Tracker::Visit::operator()(const Heartbeat& heartbeat) const {
    const bool is_up = story.boot && story.boot->state == BootState::up;
    if (!is_up) {
        // Sent before the board was reset, and late; or the report got lost.
        const bool late = is_open(story) && !story.boot->partial && story.boot->phase < Phase::root;
        if (!late) (*this)(ReportedUp{heartbeat.kernel, heartbeat.every});
        return;
    }
    if (story.silent) say("up", "is heard again after " + describe(at - *story.heartbeat));
    story.silent = false;
    story.heartbeat = at;
}

// A boot loader has an address of its own choice, or none; the kernel speaks from its board's.
void Tracker::Visit::operator()(const ConsoleSaid& said) const {
    const bool from_kernel = story.boot && said.source == story.boot->address;
    story.console.add(said.bytes, !from_kernel, at);
}

void Tracker::Visit::operator()(const Examined& examined) const {
    story.examined = examined;
    if (!is_open(story)) return;
    const bool circles = story.boot->diagnosis.empty() && story.failed_in_a_circle() != nullptr;
    Boot& boot = circles ? story.history.front() : *story.boot;
    if (boot.diagnosis.empty()) return;
    std::string better = diagnose(boot, tracker.around(story, at));
    if (better == boot.diagnosis) return;
    boot.diagnosis = std::move(better);
    say("examined", boot.diagnosis, Weight::alarm);
}

}  // namespace bramble::boards
