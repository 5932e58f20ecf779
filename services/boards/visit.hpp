// One event of one board on its way through the tracker: what it does to the board's story. It
// refuses to know the other boards.
#pragma once

#include <optional>
#include <string>

#include "services/boards/tracker.hpp"

namespace bramble::boards {

inline std::size_t index_of(Phase phase) {
    return static_cast<std::size_t>(phase);
}

inline bool is_open(const BoardStory& story) {
    return story.boot && !story.boot->finished();
}

struct Tracker::Visit {
    Tracker& tracker;
    BoardStory& story;
    const Identity& who;
    TimePoint at;
    Reaction& reaction;

    // visit.cpp
    void say(std::string phase, std::string text, Weight weight = Weight::major) const;
    void say(Phase phase, std::string text, Weight weight = Weight::major) const;
    Boot& open_boot() const;
    Boot& begin(Phase phase) const;
    void end(BootState state) const;
    void enter(Boot& boot, Phase phase) const;
    void wake(Boot& boot) const;
    void stop(Boot& boot, std::string_view word) const;

    // visit_dhcp.cpp
    void operator()(const AskedForAddress& asked) const;
    void operator()(const OfferedAddress& offered) const;
    void operator()(const GotAddress& got) const;
    void operator()(const Held& held) const;
    void operator()(const TookAnotherOffer& other) const;
    void operator()(const OfferedByAnother& other) const;
    bool is_same_boot(const Boot& boot) const;
    bool find_a_twin(Boot& boot) const;
    void look_for_a_twin(Boot& boot) const;
    void on_system_dhcp(std::optional<Ipv4Address> address) const;

    // visit_files.cpp
    void operator()(const FileEnded& file) const;
    bool belongs_to_an_earlier_boot(const FileEnded& file) const;
    FileRecord* record(Boot& boot, const FileEnded& file, FileClass file_class) const;

    // visit_system.cpp
    void operator()(const Knocked& knocked) const;
    void operator()(const Mounted& mounted) const;
    void operator()(const ReportedUp& up) const;
    void operator()(const Heartbeat& heartbeat) const;
    void operator()(const ConsoleSaid& said) const;
    void operator()(const Examined& examined) const;

    void operator()(const ForeignServerHeard& /*heard*/) const {}  // no board's own
};

}  // namespace bramble::boards
