#include "services/boards/tracker.hpp"

#include <algorithm>
#include <iterator>

#include "services/boards/diagnosis.hpp"
#include "services/boards/visit.hpp"

namespace bramble::boards {
namespace {

// Of those that the fleet file has since told apart.
template <typename Predicate>
void drop_claims(BoardStory& story, const Predicate& is_settled) {
    story.claims.forget_if(is_settled);
    if (!story.boot) return;
    Boot& boot = *story.boot;
    const bool settled =
        (boot.mac && is_settled(*boot.mac)) || (boot.mac_of_twin && is_settled(*boot.mac_of_twin));
    if (settled) boot.mac_of_twin.reset();
}

}  // namespace

std::string_view to_string(Condition condition) {
    switch (condition) {
        case Condition::never_seen:
            return "never-seen";
        case Condition::waiting:
            return "waiting";
        case Condition::booting:
            return "booting";
        case Condition::stuck:
            return "stuck";
        case Condition::up:
            return "up";
        case Condition::silent:
            return "silent";
    }
    return "";
}

Condition BoardStory::condition() const {
    if (!boot) return Condition::never_seen;
    switch (boot->state) {
        case BootState::running:
            return Condition::booting;
        case BootState::waiting:
            return Condition::waiting;
        case BootState::up:
            return silent ? Condition::silent : Condition::up;
        default:
            return Condition::stuck;
    }
}

std::string BoardStory::diagnosis(TimePoint now) const {
    if (!boot) return diagnose_never_seen();
    std::string text = boot->diagnosis;
    if (silent) {
        text = diagnose_silence(now - *heartbeat);
    } else if (const Boot* failed = failed_in_a_circle(); text.empty() && failed != nullptr) {
        text = failed->diagnosis;
    }
    // It is true whatever else is, also where it was found out after the rest was said.
    const bool is_twin = boot->mac && twin_of(*boot->mac, now);
    const std::string twin = is_twin ? diagnose_twin(*boot) : "";
    if (twin.empty() || text.find(twin) != std::string::npos) return text;
    return text.empty() ? twin : twin + "; " + text;
}

std::optional<MacAddress> BoardStory::twin_of(MacAddress asking, TimePoint now) const {
    const auto twin = claims.other_than(asking, now - Claims::memory);
    if (!twin && mac != asking) return mac;  // the fleet says another
    return twin;
}

const Boot* BoardStory::failed_in_a_circle() const {
    const bool goes_on = boot && !boot->finished() && boot->failed_before + 1 >= failed_boots_max;
    if (!goes_on || history.empty() || history.front().diagnosis.empty()) return nullptr;
    return &history.front();
}

void Reaction::add(Reaction other) {
    std::move(other.lines.begin(), other.lines.end(), std::back_inserter(lines));
    std::move(other.ended.begin(), other.ended.end(), std::back_inserter(ended));
    std::move(other.rebound.begin(), other.rebound.end(), std::back_inserter(rebound));
    std::move(other.stopped.begin(), other.stopped.end(), std::back_inserter(stopped));
    std::move(other.consoles.begin(), other.consoles.end(), std::back_inserter(consoles));
}

void Tracker::set_boards(const std::vector<Identity>& boards) {
    owners_.clear();
    for (const Identity& who : boards) {
        if (who.mac) owners_.emplace(*who.mac, who.board);
    }
    std::map<std::string, BoardStory, std::less<>> next;
    for (const Identity& who : boards) {
        BoardStory story;
        if (const auto old = boards_.find(who.board); old != boards_.end()) {
            story = std::move(old->second);
        }
        if (story.mac != who.mac || story.serial != who.serial) {
            drop_claims(story, [](MacAddress /*mac*/) { return true; });
        }
        story.board = who.board;
        drop_settled_claims(story);
        story.mac = who.mac;
        story.serial = who.serial;
        next.emplace(who.board, std::move(story));
    }
    boards_ = std::move(next);
    strangers_.forget(boards);
}

void Tracker::drop_settled_claims(BoardStory& story) const {
    drop_claims(story, [&](MacAddress mac) {
        const auto owner = owners_.find(mac);
        return owner != owners_.end() && owner->second != story.board;
    });
}

void Tracker::set_generation(std::uint64_t current) {
    generation_ = current;
}

Reaction Tracker::on_event(const Event& event) {
    Reaction reaction;
    if (const auto* foreign = std::get_if<ForeignServerHeard>(&event.what)) {
        hear(*foreign, event.at);
        return reaction;
    }
    const auto found = boards_.find(event.who.board);
    if (found == boards_.end()) {
        strangers_.on_event(event);
        return reaction;
    }
    // What we found out ourselves is no sign of life, and neither is what others say to it.
    const bool is_its_own = !std::holds_alternative<Examined>(event.what) &&
                            !std::holds_alternative<OfferedByAnother>(event.what);
    if (is_its_own) found->second.last_seen = event.at;
    std::visit(Visit{*this, found->second, event.who, event.at, reaction}, event.what);
    await(found->second);
    return reaction;
}

void Tracker::on_progress(std::string_view board, TimePoint now) {
    const auto found = boards_.find(board);
    if (found == boards_.end()) return;
    BoardStory& story = found->second;
    story.last_seen = now;
    if (is_open(story)) story.boot->last_event = now;
}

void Tracker::hear(const ForeignServerHeard& foreign, TimePoint now) {
    ForeignServer server{foreign.server, foreign.mac, now};
    const auto old = std::ranges::find(foreign_servers_, server.address, &ForeignServer::address);
    if (old != foreign_servers_.end()) {
        if (!server.mac) server.mac = old->mac;
        foreign_servers_.erase(old);
    }
    foreign_servers_.insert(foreign_servers_.begin(), server);
    if (foreign_servers_.size() > settings_.foreign_servers_max) foreign_servers_.pop_back();
}

std::vector<ForeignServer> Tracker::foreign_servers(TimePoint now) const {
    std::vector<ForeignServer> lately;
    for (const ForeignServer& server : foreign_servers_) {
        if (now - server.heard <= settings_.foreign_server_memory) lately.push_back(server);
    }
    return lately;
}

Expected Tracker::expected_of(std::string_view board, std::uint64_t generation) const {
    return expectations_ ? expectations_(board, generation) : Expected();
}

Surroundings Tracker::around(const BoardStory& story, TimePoint now) const {
    Surroundings around;
    if (story.boot) around.expected = expected_of(story.board, story.boot->generation);
    around.foreign_servers = foreign_servers(now);
    around.examined = story.examined;
    around.console = story.console.telling_line();
    return around;
}

std::optional<TimePoint> Tracker::deadline_of(const BoardStory& story) const {
    if (is_open(story)) {
        const Boot& boot = *story.boot;
        if (boot.state == BootState::stuck) return boot.last_event + settings_.abandon_after;
        return boot.last_event + settings_.silence_max[index_of(boot.phase)];
    }
    if (!story.boot || !story.heartbeat || story.silent) return std::nullopt;
    const Duration every = story.boot->heartbeat;
    if (every <= Duration::zero()) return std::nullopt;
    return *story.heartbeat + every * settings_.heartbeats_missed_max + every / 2;
}

// One comparison for each event instead of a walk through the fleet: on_deadline() does that.
void Tracker::await(const BoardStory& story) {
    const auto deadline = deadline_of(story);
    if (deadline && (!earliest_ || *deadline < *earliest_)) earliest_ = deadline;
}

void Tracker::fall_silent(BoardStory& story, TimePoint now, Reaction& reaction) {
    const Identity who{story.board, {}, {}, {}};
    const Visit visit{*this, story, who, now, reaction};
    if (!is_open(story)) {
        story.silent = true;
        return visit.say("silent", diagnose_silence(now - *story.heartbeat), Weight::alarm);
    }
    Boot& boot = *story.boot;
    if (boot.state == BootState::stuck) return visit.end(BootState::abandoned);
    visit.stop(boot, "stuck");
}

Reaction Tracker::on_deadline(TimePoint now) {
    Reaction reaction;
    earliest_.reset();
    for (auto& [name, story] : boards_) {
        if (const auto deadline = deadline_of(story); deadline && *deadline <= now) {
            fall_silent(story, now, reaction);
        }
        await(story);
    }
    return reaction;
}

std::optional<std::uint64_t> Tracker::running_generation(std::string_view board) const {
    const BoardStory* story = find(board);
    if (story == nullptr || !is_open(*story) || story->boot->generation == 0) return std::nullopt;
    return story->boot->generation;
}

std::uint64_t Tracker::generation_for(std::string_view board) const {
    return running_generation(board).value_or(generation_);
}

std::map<std::string, std::uint64_t> Tracker::bindings() const {
    std::map<std::string, std::uint64_t> bound;
    for (const auto& [name, story] : boards_) {
        if (!is_open(story) || story.boot->generation == 0) continue;
        if (story.boot->generation != generation_) bound.emplace(name, story.boot->generation);
    }
    return bound;
}

void Tracker::resume(const std::string& board, std::uint64_t generation, TimePoint now) {
    const auto found = boards_.find(board);
    if (found == boards_.end()) return;
    Boot boot;
    boot.generation = generation;
    boot.started = now;
    boot.last_event = now;
    boot.partial = true;
    boot.entered[index_of(Phase::address)] = now;
    found->second.boot = std::move(boot);
    await(found->second);
}

void Tracker::restore(const std::string& board, Boot boot, TimePoint now) {
    const auto found = boards_.find(board);
    if (found == boards_.end() || found->second.boot || !boot.finished()) return;
    found->second.last_seen = boot.last_event;
    for (const auto& mac : {boot.mac_of_twin, boot.mac}) {
        if (mac) found->second.claims.add(*mac, boot.last_event);
    }
    found->second.boot = std::move(boot);
    drop_settled_claims(found->second);
    const bool is_up = found->second.boot->state == BootState::up;
    if (is_up && found->second.boot->heartbeat > Duration::zero()) found->second.heartbeat = now;
    await(found->second);
}

const BoardStory* Tracker::find(std::string_view board) const {
    const auto found = boards_.find(board);
    return found == boards_.end() ? nullptr : &found->second;
}

}  // namespace bramble::boards
