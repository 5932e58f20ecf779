// Every board's boot as its events tell it: which phase it is in, which generation it is bound to,
// whether it fell silent. It refuses to know where events come from and to act upon them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "services/boards/boot.hpp"
#include "services/boards/claims.hpp"
#include "services/boards/console.hpp"
#include "services/boards/event.hpp"
#include "services/boards/story.hpp"
#include "services/boards/strangers.hpp"
#include "services/boards/surroundings.hpp"

namespace bramble::boards {

struct Settings {
    // How long a board may be silent in each phase before it counts as stuck. While a file of it
    // gets on it is not silent: see on_progress().
    std::array<Duration, phase_count> silence_max = {
        std::chrono::seconds(60),    // address: DISCOVERs come at +8, +24 and +45 s
        std::chrono::seconds(90),    // firmware
        std::chrono::seconds(90),    // config
        std::chrono::seconds(120),   // kernel: up to 18 s from the last byte to its own DHCP
        std::chrono::seconds(120),   // root
        std::chrono::seconds(300)};  // userspace: a first boot makes keys and file systems
    Duration abandon_after = std::chrono::minutes(15);  // of silence; the generation is free then
    std::size_t history_max = 8;                        // finished boots kept for each board
    std::size_t strangers_max = 256;                    // the longest silent is forgotten first
    unsigned heartbeats_missed_max = 3;                 // then a board that is up counts as silent
    Duration foreign_server_memory = std::chrono::minutes(10);
    std::size_t foreign_servers_max = 16;  // the longest silent is forgotten first
    // Boots that do not come up follow each other within so long when they are a circle.
    Duration circle_span = std::chrono::minutes(10);
};

enum class Condition {
    never_seen,
    waiting,
    booting,
    stuck,
    up,
    silent,  // it was up, promised to say so again, and does not
};

inline constexpr std::size_t condition_count = 6;

std::string_view to_string(Condition condition);

struct BoardStory {
    std::string board;
    std::optional<MacAddress> mac;
    std::optional<Serial> serial;
    Claims claims;             // to be this board
    std::optional<Boot> boot;  // the current or the latest one
    std::deque<Boot> history;  // earlier ones, newest first
    TimePoint last_seen{};
    std::optional<TimePoint> heartbeat;  // the latest, of a board that is up and promised them
    bool silent = false;                 // too many of them are missing
    Console console;                     // of the current or the latest boot
    Examined examined;                   // of the current boot

    Condition condition() const;

    // Why it is where it is, in words: of its boot, of its silence, of its never having asked.
    // Empty: there is nothing to say.
    std::string diagnosis(TimePoint now) const;

    // The boot before the current one, where that is the latest of several that did not come up;
    // nullptr: it is not.
    const Boot* failed_in_a_circle() const;

    // Who is known to claim, beside this MAC, to be this board.
    std::optional<MacAddress> twin_of(MacAddress asking, TimePoint now) const;
};

struct EndedBoot {
    std::string board;
    Boot boot;
};

struct EndedConsole {
    std::string board;
    TimePoint started{};  // of the boot
    Console console;
};

// What an event led to.
struct Reaction {
    std::vector<StoryLine> lines;
    std::vector<EndedBoot> ended;        // for the history that outlives the program
    std::vector<std::string> rebound;    // boards whose boot began, ended or changed its generation
    std::vector<std::string> stopped;    // boards that deserve a closer look: Examined tells of it
    std::vector<EndedConsole> consoles;  // that will not grow any more

    void add(Reaction other);
};

class Tracker {
public:
    explicit Tracker(const Settings& settings = {})
        : settings_(settings), strangers_(settings.strangers_max) {}

    // The fleet's boards: they are known from the start, and nobody else gets a story.
    void set_boards(const std::vector<Identity>& boards);

    // What a boot that begins now is bound to.
    void set_generation(std::uint64_t current);

    // What generations have for boards; without it nothing is expected.
    void set_expectations(Expectations expectations) { expectations_ = std::move(expectations); }

    Reaction on_event(const Event& event);
    // A file is on its way to the board, and more of it was acknowledged: a sign of life between
    // the events at its beginning and its end, which a slow link or a large file set far apart.
    void on_progress(std::string_view board, TimePoint now);
    Reaction on_deadline(TimePoint now);

    // When on_deadline() wants to be called. Boards that showed a sign of life since it was worked
    // out are due later than it says: then the call does nothing but work it out anew.
    std::optional<TimePoint> next_deadline() const { return earliest_; }

    // That the boot of this board, while it runs, is bound to; nothing when none runs.
    std::optional<std::uint64_t> running_generation(std::string_view board) const;

    // The generation that this board is to be served now: its boot's, or the current one.
    std::uint64_t generation_for(std::string_view board) const;

    // Boards in a boot that is bound to another generation than the current one.
    std::map<std::string, std::uint64_t> bindings() const;

    // A boot that was running when the program ended: it goes on, bound as before.
    void resume(const std::string& board, std::uint64_t generation, TimePoint now);

    // The latest finished boot of an earlier run. One that promised heartbeats has from `now` on to
    // give the next.
    void restore(const std::string& board, Boot boot, TimePoint now);

    const BoardStory* find(std::string_view board) const;

    const std::map<std::string, BoardStory, std::less<>>& boards() const { return boards_; }

    const std::list<Stranger>& strangers() const { return strangers_.all(); }

    // Other DHCP servers that were heard lately, the latest first.
    std::vector<ForeignServer> foreign_servers(TimePoint now) const;

private:
    struct Visit;  // one event of one board on its way through: visit.hpp

    std::optional<TimePoint> deadline_of(const BoardStory& story) const;
    Expected expected_of(std::string_view board, std::uint64_t generation) const;
    Surroundings around(const BoardStory& story, TimePoint now) const;
    void await(const BoardStory& story);
    void drop_settled_claims(BoardStory& story) const;
    void hear(const ForeignServerHeard& foreign, TimePoint now);
    void fall_silent(BoardStory& story, TimePoint now, Reaction& reaction);

    Settings settings_;
    std::uint64_t generation_ = 0;
    Expectations expectations_;
    std::vector<ForeignServer> foreign_servers_;  // the latest first
    std::map<std::string, BoardStory, std::less<>> boards_;
    std::unordered_map<MacAddress, std::string> owners_;  // by the fleet file
    std::optional<TimePoint> earliest_;                   // no deadline is before it
    Strangers strangers_;
};

}  // namespace bramble::boards
