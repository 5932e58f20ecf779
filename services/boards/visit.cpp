// A boot's beginning, its phases and its end.
#include "services/boards/visit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "services/boards/diagnosis.hpp"

namespace bramble::boards {
namespace {

// A boot loader speaks before it asks for an address: what it said so recently is of this boot.
constexpr Duration loader_lead = std::chrono::seconds(20);

// Boots directly before this moment that did not come up, one close behind the other.
unsigned failed_in_a_row(const BoardStory& story, TimePoint now, Duration span) {
    unsigned count = 0;
    TimePoint later = now;
    for (const Boot& boot : story.history) {
        if (boot.state == BootState::up || boot.partial || later - boot.started > span) break;
        later = boot.started;
        ++count;
    }
    return count;
}

}  // namespace

void Tracker::Visit::say(std::string phase, std::string text, Weight weight) const {
    reaction.lines.push_back({at, story.board, std::move(phase), std::move(text), weight});
}

void Tracker::Visit::say(Phase phase, std::string text, Weight weight) const {
    say(std::string(to_string(phase)), std::move(text), weight);
}

// The boot that the event belongs to; begins one when none is open.
Boot& Tracker::Visit::open_boot() const {
    return is_open(story) ? *story.boot : begin(Phase::address);
}

Boot& Tracker::Visit::begin(Phase phase) const {
    Console console = story.console.take_loader_lines(at - loader_lead);
    if (story.boot) {
        if (!story.boot->finished()) end(BootState::superseded);
        if (!story.console.empty()) {
            reaction.consoles.push_back({story.board, story.boot->started, std::move(story.console)}
            );
        }
        story.history.push_front(std::move(*story.boot));
        if (story.history.size() > tracker.settings_.history_max) story.history.pop_back();
    }
    story.boot.emplace();
    story.boot->generation = tracker.generation_;
    story.boot->started = at;
    story.boot->last_event = at;
    story.boot->phase = phase;
    story.boot->entered[index_of(phase)] = at;
    story.boot->mac = who.mac ? who.mac : story.claims.latest(at - Claims::memory);
    if (!who.mac) find_a_twin(*story.boot);
    story.boot->kernel = tracker.expected_of(story.board, tracker.generation_).kernel;
    story.boot->failed_before = failed_in_a_row(story, at, tracker.settings_.circle_span);
    story.console = std::move(console);
    if (story.boot->failed_before == 0) story.examined = {};
    story.heartbeat.reset();
    story.silent = false;
    reaction.rebound.push_back(story.board);
    return *story.boot;
}

void Tracker::Visit::end(BootState state) const {
    Boot& boot = *story.boot;
    // A boot that gave way to another without coming up, again: this time it is told why.
    const bool circles = state == BootState::superseded && boot.phase != Phase::address &&
                         boot.failed_before + 1 >= failed_boots_max;
    if (circles && boot.diagnosis.empty()) {
        boot.diagnosis = diagnose(boot, tracker.around(story, at));
        say("circle", boot.diagnosis, Weight::alarm);
        reaction.stopped.push_back(story.board);
    }
    boot.state = state;
    boot.ended = at;
    reaction.rebound.push_back(story.board);
    reaction.ended.push_back({story.board, boot});
}

// Phases are only ever left forwards.
void Tracker::Visit::enter(Boot& boot, Phase phase) const {
    if (index_of(phase) <= index_of(boot.phase)) return;
    boot.phase = phase;
    boot.entered[index_of(phase)] = at;
}

// A board that goes on is not stuck any more, unless all it does is begin again.
void Tracker::Visit::wake(Boot& boot) const {
    boot.last_event = at;
    if (boot.state == BootState::stuck) {
        if (turns_in_a_circle(boot)) return;
        say(boot.phase, "it goes on");
        boot.state = BootState::running;
    }
    boot.diagnosis.clear();
}

void Tracker::Visit::stop(Boot& boot, std::string_view word) const {
    boot.diagnosis = diagnose(boot, tracker.around(story, at));
    boot.state = BootState::stuck;
    say(std::string(word), boot.diagnosis, Weight::alarm);
    reaction.stopped.push_back(story.board);
}

}  // namespace bramble::boards
