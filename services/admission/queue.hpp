// Who may begin a boot now, who waits, and for how long: a stampede of boards becomes a queue that
// always finishes. It refuses to know DHCP, sockets and files; its caller tells it who asked, how
// many bytes were carried, and who is done.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/types/time_point.hpp"

namespace bramble::admission {

// What a boot still has to fetch. Zero bytes: not known, the settings' typical boot counts.
struct Work {
    std::uint64_t total_bytes = 0;
    std::uint64_t largest_file_bytes = 0;

    friend bool operator==(const Work&, const Work&) = default;
};

// What boards fetch over a link of this speed at most: a block of 1468 octets takes 1538 on the
// wire, with preamble, headers and gap; a little is left for everything else.
constexpr std::uint64_t payload_bytes_per_second(std::uint64_t link_bits_per_second) {
    return link_bits_per_second / 8 / 1000 * 952;
}

struct Settings {
    bool enabled = true;
    std::uint64_t link_bytes_per_second = payload_bytes_per_second(1'000'000'000);
    std::uint64_t board_bytes_per_second =
        4'800'000;  // what one board takes at most, lock-step (fact sheet 9)
    // Boards inside per board that would fill the link: some are always thinking, and blocks of
    // 1024 bytes, which most firmware asks for, make a board slower. Simulated, 1000 boards, 23.6
    // MB each, 1 Gb/s: with 2 the link is used to 97 % while boards wait and all are up after 234
    // s, with 3 to 100 % and 225 s; with 4 each file takes a third longer for nothing.
    double fill = 3.0;
    Duration file_limit = std::chrono::seconds(30);  // TFTP_FILE_TIMEOUT (fact sheet 1.7)
    double file_margin = 0.8;  // of file_limit that a plan may use; the rest is for what goes wrong
    unsigned group_max = 0;  // boards of one group inside at a time (a PoE switch's budget); 0: no
                             // limit. Boards without a group have none.
    Work typical{28'000'000, 16'000'000};
    Duration silence =
        std::chrono::seconds(15);  // inside without a byte for so long: the place is free again
    Duration forget = std::chrono::seconds(60);  // waiting without asking again for so long: gone
    Duration retry_window =
        std::chrono::minutes(10);  // asking again within it, unfinished, makes a retry

    static constexpr std::size_t boards_max =
        16'384;  // inside and waiting together; beyond it boards are let in at once
};

struct Waiting {
    std::size_t position = 0;  // 1 is next
    TimePoint expected_start;

    friend bool operator==(const Waiting&, const Waiting&) = default;
};

struct Decision {
    std::optional<Waiting> waiting;  // none: admitted

    bool admitted() const { return !waiting.has_value(); }
};

struct WaitingBoard {
    std::string board;
    std::string group;
    std::size_t position = 0;
    Duration waited{};
    TimePoint expected_start;
    bool retry = false;
};

struct Status {
    bool enabled = true;
    std::size_t inside = 0;
    std::size_t capacity = 0;  // boards that may be inside with the work that is there
    std::uint64_t link_bytes_per_second = 0;  // as configured, corrected by what was measured
    std::vector<WaitingBoard> waiting;        // in the order of their turns
};

struct Counters {
    std::uint64_t asked = 0;
    std::uint64_t admitted = 0;
    std::uint64_t deferred = 0;    // boards that had to wait
    std::uint64_t expired = 0;     // inside and silent, or waiting and gone
    std::uint64_t overflowed = 0;  // let in only because the table was full
    std::uint64_t uninvited = 0;  // fetched without having been let in: counted inside all the same
};

class Queue {
public:
    explicit Queue(Settings settings) : settings_(settings) {}

    // Whom it has let in stays inside; who waits is looked at anew by the next poll_admitted().
    void set_settings(Settings settings) { settings_ = settings; }

    const Settings& settings() const { return settings_; }

    // A board asks to begin its boot (its DISCOVER, each repetition of it too). Asking again keeps
    // its place.
    Decision ask(const std::string& board, const std::string& group, Work work, TimePoint now);

    // `bytes` more were acknowledged by a board. One that nobody let in, or whose place was given
    // up because of its silence, uses the link all the same and counts as inside from now on.
    void on_progress(const std::string& board, std::uint64_t bytes, TimePoint now);

    // The largest file that a board inside has yet to finish.
    void set_largest_file(const std::string& board, std::uint64_t bytes);

    // A board inside has all that it fetches through this link's TFTP, or is known to be off. What
    // it fetches from now on does not count.
    void on_left(const std::string& board);

    // A board that waits does so no longer: it boots from elsewhere, or left the fleet.
    void withdraw(const std::string& board);

    // What the link carried while it was full, in bytes per second of payload: corrects the
    // configured speed downwards.
    void on_measured(std::uint64_t bytes_per_second);

    // The link was not what boards waited for: a correction fades.
    void on_unhindered();

    // Boards whose turn came since the last call; their pending DISCOVER may be answered now. Frees
    // silent places too.
    std::vector<std::string> poll_admitted(TimePoint now);

    bool is_inside(const std::string& board) const { return inside_.contains(board); }

    // It is inside, waits, or was let in lately.
    bool knows(const std::string& board) const {
        return is_inside(board) || turn_of_.contains(board) || recent_.contains(board);
    }

    bool anyone_waits() const { return !waiting_.empty(); }

    std::size_t waiting() const { return waiting_.size(); }

    std::optional<Waiting> waiting_place(const std::string& board, TimePoint now) const;
    std::optional<TimePoint> next_deadline() const;
    Status status(TimePoint now) const;

    const Counters& counters() const { return counters_; }

private:
    struct Inside {
        std::string group;
        Work left;
        TimePoint heard;
    };

    // Where a place stands in the queue: retries before newcomers, each kind in the order of its
    // first asking.
    struct Turn {
        bool newcomer = true;
        std::uint64_t number = 0;

        friend auto operator<=>(const Turn&, const Turn&) = default;
    };

    struct Place {
        Turn turn;
        std::string board;
        std::string group;
        Work work;
        TimePoint first_asked;
        TimePoint last_asked;
    };

    // Of a board that was let in lately.
    struct Recent {
        TimePoint let_in;
        std::string group;
        Work left;
        bool finished = false;
    };

    using Line = std::deque<Place>;

    bool has_room_for(const Work& work) const;
    bool group_is_full(const std::string& group) const;
    std::size_t capacity(std::uint64_t largest_file_bytes) const;
    std::uint64_t largest_left_inside() const;

    std::uint64_t link() const {
        return std::min(settings_.link_bytes_per_second, measured_.value_or(UINT64_MAX));
    }

    TimePoint expected_start(std::size_t position, TimePoint now) const;
    void let_in(const std::string& board, const std::string& group, Work work, TimePoint now);
    void put_inside(const std::string& board, Inside inside);
    std::map<std::string, Inside>::iterator take_out(std::map<std::string, Inside>::iterator place);
    std::size_t enqueue(Place place);  // its position
    Line::iterator find_waiting(const std::string& board);
    Line::const_iterator find_waiting(const std::string& board) const;
    Line::iterator remove_waiting(Line::iterator place);
    void expire(TimePoint now);
    void prune_recent(TimePoint now);

    Settings settings_;
    std::optional<std::uint64_t> measured_;
    std::map<std::string, Inside> inside_;
    std::uint64_t inside_bytes_ = 0;  // left to fetch, of all inside
    std::unordered_map<std::string, unsigned> inside_of_group_;
    std::unordered_map<std::string, Recent> recent_;  // bounded by boards_max
    Line waiting_;                                    // in the order of their turns
    std::unordered_map<std::string, Turn> turn_of_;
    std::uint64_t next_number_ = 0;
    std::uint64_t waiting_bytes_ = 0;
    TimePoint waiting_checked_until_{};  // nobody who waits is forgotten before
    Counters counters_;
};

}  // namespace bramble::admission
