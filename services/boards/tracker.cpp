#include "services/boards/tracker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "config/types/text.hpp"
#include "services/boards/diagnosis.hpp"

namespace bramble::boards {
namespace {

// So soon after its last sign a board that has loaded nothing yet still tries the same boot.
constexpr Duration retry_max = std::chrono::seconds(30);

// Files below this size are dozens per boot; the start file is told of whatever its size.
constexpr std::uint64_t major_bytes = 1'000'000;

std::size_t index_of(Phase phase) {
    return static_cast<std::size_t>(phase);
}

bool is_open(const BoardStory& story) {
    return story.boot && !story.boot->finished();
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
            return Condition::up;
        default:
            return Condition::stuck;
    }
}

void Reaction::add(Reaction other) {
    std::move(other.lines.begin(), other.lines.end(), std::back_inserter(lines));
    std::move(other.ended.begin(), other.ended.end(), std::back_inserter(ended));
    std::move(other.rebound.begin(), other.rebound.end(), std::back_inserter(rebound));
}

// ---- one event of one board -------------------------------------------------------------------

struct Tracker::Visit {
    Tracker& tracker;
    BoardStory& story;
    TimePoint at;
    Reaction& reaction;

    void say(std::string phase, std::string text, Weight weight = Weight::major) const {
        reaction.lines.push_back({at, story.board, std::move(phase), std::move(text), weight});
    }

    void say(Phase phase, std::string text, Weight weight = Weight::major) const {
        say(std::string(to_string(phase)), std::move(text), weight);
    }

    // The boot that the event belongs to; begins one when none is open.
    Boot& open_boot() const { return is_open(story) ? *story.boot : begin(Phase::address); }

    Boot& begin(Phase phase) const {
        if (story.boot) {
            if (!story.boot->finished()) end(BootState::superseded);
            story.history.push_front(std::move(*story.boot));
            if (story.history.size() > tracker.settings_.history_max) story.history.pop_back();
        }
        story.boot.emplace();
        story.boot->generation = tracker.generation_;
        story.boot->started = at;
        story.boot->last_event = at;
        story.boot->phase = phase;
        story.boot->entered[index_of(phase)] = at;
        reaction.rebound.push_back(story.board);
        return *story.boot;
    }

    void end(BootState state) const {
        Boot& boot = *story.boot;
        boot.state = state;
        boot.ended = at;
        reaction.rebound.push_back(story.board);
        reaction.ended.push_back({story.board, boot});
    }

    // Phases are only ever left forwards; a board that goes on is not stuck any more.
    void enter(Boot& boot, Phase phase) const {
        if (index_of(phase) > index_of(boot.phase)) {
            boot.phase = phase;
            boot.entered[index_of(phase)] = at;
        }
    }

    void wake(Boot& boot) const {
        boot.last_event = at;
        if (boot.state == BootState::stuck) {
            say(boot.phase, "it goes on");
            boot.state = BootState::running;
        }
        boot.diagnosis.clear();
    }

    void operator()(const AskedForAddress& asked) const {
        if (asked.speaker == Speaker::system) return on_system_dhcp({});
        if (!is_open(story) || !is_same_boot(*story.boot)) {
            begin(Phase::address);
            say(Phase::address, "asks for an address");
        }
        Boot& boot = *story.boot;
        wake(boot);
        ++boot.discovers;
    }

    // A board asks several times for one boot: until it is answered, and again where its first
    // attempt found nothing to load (U-Boot looks for a script, then asks anew for a menu).
    bool is_same_boot(const Boot& boot) const {
        if (boot.partial) return false;  // of an earlier run of the server; firmware loads all anew
        if (boot.phase == Phase::address) return true;
        if (boot.phase != Phase::firmware || at - boot.last_event > retry_max) return false;
        return std::none_of(boot.files.begin(), boot.files.end(), [](const FileRecord& file) {
            return file.loads > 0 || file.outcome == FileOutcome::failed;
        });
    }

    void operator()(const OfferedAddress& offered) const {
        if (offered.speaker == Speaker::system || !is_open(story)) return;
        Boot& boot = *story.boot;
        wake(boot);
        if (boot.state == BootState::waiting) {
            say("waiting", "its turn has come");
            boot.state = BootState::running;
            boot.generation = tracker.generation_;  // nothing was served from the one it found
            reaction.rebound.push_back(story.board);
        }
        boot.hold_reason.clear();
        ++boot.offers;
        boot.address = offered.address;
    }

    void operator()(const GotAddress& got) const {
        if (got.speaker == Speaker::system) return on_system_dhcp(got.address);
        Boot& boot = open_boot();
        wake(boot);
        boot.state = BootState::running;
        boot.hold_reason.clear();
        boot.address = got.address;
        if (boot.phase != Phase::address) return;  // an ACK that was asked for twice
        enter(boot, Phase::firmware);
        say(Phase::address,
            fmt::format("{} after {}", got.address.to_string(), describe(at - boot.started)));
    }

    void operator()(const Held& held) const {
        const bool fresh = !is_open(story);
        Boot& boot = open_boot();
        if (boot.phase != Phase::address) return;
        boot.last_event = at;
        if (fresh || boot.state != BootState::waiting || boot.hold_reason != held.reason) {
            say("waiting", held.reason);
        }
        boot.state = BootState::waiting;
        boot.hold_reason = held.reason;
    }

    // The running system's own DHCP: the kernel is alive. A board that is up renews its lease so.
    void on_system_dhcp(std::optional<Ipv4Address> address) const {
        if (!is_open(story) || index_of(story.boot->phase) < index_of(Phase::kernel)) return;
        Boot& boot = *story.boot;
        wake(boot);
        if (address) boot.address = *address;
        if (boot.phase != Phase::kernel) return;
        enter(boot, Phase::root);
        say(Phase::kernel, fmt::format("runs and asks for an address {}", since_last_file(boot)));
    }

    std::string since_last_file(const Boot& boot) const {
        TimePoint last = boot.started;
        for (const FileRecord& file : boot.files) last = std::max(last, file.last_ended);
        return describe(at - last) + " after its last file";
    }

    // A transfer that timed out ends half a minute after the board was reset: it belongs to the
    // boot in which it began.
    bool belongs_to_an_earlier_boot(const FileEnded& file) const {
        if (!story.boot) return false;
        if (story.boot->finished()) return file.started < *story.boot->ended;
        return file.started < story.boot->started && story.boot->discovers > 0;
    }

    void operator()(const FileEnded& file) const {
        if (belongs_to_an_earlier_boot(file)) return;
        Boot& boot = open_boot();
        if (boot.files.empty() && boot.discovers == 0) {  // a static address: no DHCP was seen
            boot.started = std::min(boot.started, file.started);
            if (file.generation != 0) boot.generation = file.generation;
        }
        wake(boot);
        boot.state = BootState::running;
        const FileClass file_class = classify(file.path);
        enter(boot, Phase::firmware);
        record(boot, file, file_class);
        if (file_class == FileClass::config && firmware_is_done(boot)) enter(boot, Phase::config);
        if (file_class == FileClass::kernel && file.outcome != FileOutcome::missing) {
            enter(boot, Phase::kernel);
        }
        const bool large = file.bytes >= major_bytes || file_class == FileClass::start;
        Weight weight = Weight::minor;
        if (file.outcome == FileOutcome::loaded && large) weight = Weight::major;
        // Nothing acknowledged at all: a request that the network doubled, or a board that was
        // reset.
        const bool broke_off = file.outcome == FileOutcome::failed && file.bytes > 0;
        if (broke_off || file.outcome == FileOutcome::refused) weight = Weight::alarm;
        say(boot.phase, describe_file(file, at), weight);
    }

    // A Pi 4 reads config.txt before its start file as well; a Pi 5 and generic boards have none.
    static bool firmware_is_done(const Boot& boot) {
        bool asked = false;
        for (const FileRecord& file : boot.files) {
            if (file.file_class != FileClass::start) continue;
            if (file.loads > 0) return true;
            asked = asked || file.outcome == FileOutcome::probed;
        }
        return !asked;
    }

    void record(Boot& boot, const FileEnded& file, FileClass file_class) const {
        auto found = std::find_if(boot.files.begin(), boot.files.end(), [&](const FileRecord& r) {
            return r.path == file.path;
        });
        if (found == boot.files.end()) {
            if (boot.files.size() >= Boot::files_max) {
                ++boot.files_dropped;
                return;
            }
            FileRecord fresh;
            fresh.path = file.path;
            fresh.file_class = file_class;
            fresh.first_asked = file.started;
            boot.files.push_back(std::move(fresh));
            found = std::prev(boot.files.end());
        }
        found->retransmissions += file.retransmissions;
        found->last_ended = at;
        if (file.outcome == FileOutcome::probed) ++found->probes;
        if (file.outcome == FileOutcome::loaded) {
            ++found->loads;
            found->bytes = file.bytes;
            found->took = at - file.started;
        }
        if (found->loads == 0 || file.outcome == FileOutcome::loaded) found->outcome = file.outcome;
        if (found->loads == 0) found->bytes = file.bytes;
    }

    void operator()(const Mounted& /*mounted*/) const {
        if (!is_open(story)) return;
        Boot& boot = *story.boot;
        wake(boot);
        if (boot.phase == Phase::userspace) return;
        enter(boot, Phase::userspace);
        say(Phase::root, "is mounted");
    }

    void operator()(const ReportedUp& /*up*/) const {
        if (story.boot && story.boot->state == BootState::up) return;  // said before
        const bool seen = is_open(story);
        if (!seen) begin(Phase::userspace).partial = true;
        Boot& boot = *story.boot;
        boot.last_event = at;
        boot.diagnosis.clear();
        end(BootState::up);
        say("up", seen ? "after " + describe_boot(boot) : "its boot was not seen");
    }
};

// ---- the tracker ------------------------------------------------------------------------------

void Tracker::set_boards(const std::vector<Identity>& boards) {
    std::map<std::string, BoardStory, std::less<>> next;
    for (const Identity& who : boards) {
        BoardStory story;
        if (const auto old = boards_.find(who.board); old != boards_.end()) {
            story = std::move(old->second);
        }
        story.board = who.board;
        story.mac = who.mac;
        story.serial = who.serial;
        next.emplace(who.board, std::move(story));
    }
    boards_ = std::move(next);
    strangers_.forget(boards);
}

void Tracker::set_generation(std::uint64_t current) {
    generation_ = current;
}

Reaction Tracker::on_event(const Event& event) {
    Reaction reaction;
    const auto found = boards_.find(event.who.board);
    if (found == boards_.end()) {
        strangers_.on_event(event);
        return reaction;
    }
    found->second.last_seen = event.at;
    std::visit(Visit{*this, found->second, event.at, reaction}, event.what);
    await(found->second);
    return reaction;
}

TimePoint Tracker::deadline_of(const Boot& boot) const {
    if (boot.state == BootState::stuck) return boot.last_event + settings_.abandon_after;
    return boot.last_event + settings_.silence_max[index_of(boot.phase)];
}

// One comparison for each event instead of a walk through the fleet: on_deadline() does that.
void Tracker::await(const BoardStory& story) {
    if (!is_open(story)) return;
    const TimePoint deadline = deadline_of(*story.boot);
    if (!earliest_ || deadline < *earliest_) earliest_ = deadline;
}

void Tracker::fall_silent(BoardStory& story, TimePoint now, Reaction& reaction) {
    const Visit visit{*this, story, now, reaction};
    Boot& boot = *story.boot;
    if (boot.state == BootState::stuck) return visit.end(BootState::abandoned);
    boot.diagnosis = diagnose(boot);
    boot.state = BootState::stuck;
    visit.say("stuck", boot.diagnosis, Weight::alarm);
}

Reaction Tracker::on_deadline(TimePoint now) {
    Reaction reaction;
    earliest_.reset();
    for (auto& [name, story] : boards_) {
        if (is_open(story) && deadline_of(*story.boot) <= now) fall_silent(story, now, reaction);
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

void Tracker::restore(const std::string& board, Boot boot) {
    const auto found = boards_.find(board);
    if (found == boards_.end() || found->second.boot || !boot.finished()) return;
    found->second.last_seen = boot.last_event;
    found->second.boot = std::move(boot);
}

const BoardStory* Tracker::find(std::string_view board) const {
    const auto found = boards_.find(board);
    return found == boards_.end() ? nullptr : &found->second;
}

}  // namespace bramble::boards
