// Stands at the door of a room full of boards: takes what the servers see of each board (it asks,
// fetches, has a file, runs its kernel) and says who may begin and whose turn has come. It refuses
// to know DHCP, TFTP and clocks.
//
// Drive it so: hand in what happens; after each such call, and at next_deadline(), call poll() and
// answer the boards that it names. All instants come from one clock that never runs backwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/types/time_point.hpp"
#include "services/admission/link_meter.hpp"
#include "services/admission/queue.hpp"

namespace bramble::admission {

struct PlannedFile {
    std::string path;  // as in on_complete()
    std::uint64_t bytes = 0;

    friend bool operator==(const PlannedFile&, const PlannedFile&) = default;
};

// A boot that is asked for.
struct BootRequest {
    std::string board;
    std::string group;               // empty: none
    std::vector<PlannedFile> files;  // that it will fetch, in any order; empty: not known
};

class Doorman {
public:
    // While somebody waits, poll() wants to be called this often: to measure, and to forget.
    static constexpr Duration tick = std::chrono::seconds(1);
    // Files smaller than the largest by this factor do not keep a place: when the large ones are
    // there, the next board may begin.
    static constexpr std::uint64_t small_file_factor = 16;

    explicit Doorman(const Settings& settings) : queue_(settings) {}

    void set_settings(const Settings& settings) { queue_.set_settings(settings); }

    // The board's boot firmware asks for an address (each DISCOVER of it). Asking again keeps a
    // place, inside as in the queue.
    Decision ask(const BootRequest& request, TimePoint now);

    // `bytes` more reached the board and were acknowledged.
    void on_progress(const std::string& board, std::uint64_t bytes, TimePoint now);

    // The board has the whole of this file. (Its bytes are told by on_progress.)
    void on_complete(const std::string& board, std::string_view path);

    // The board's kernel or userspace speaks: its firmware has all that it wanted, from us or from
    // elsewhere.
    void on_system(const std::string& board);

    // The board is no longer of the fleet.
    void forget(const std::string& board);

    // Boards whose turn has come since the last call: their last DISCOVER may be answered now.
    std::vector<std::string> poll(TimePoint now);

    std::optional<TimePoint> next_deadline() const;

    // Where a waiting board stands; none: it does not wait.
    std::optional<Waiting> waiting_place(const std::string& board, TimePoint now) const {
        return queue_.waiting_place(board, now);
    }

    // It is inside, waits, or was let in lately: of others on_system() has nothing to do.
    bool knows(const std::string& board) const { return queue_.knows(board); }

    bool anyone_waits() const { return queue_.anyone_waits(); }

    Status status(TimePoint now) const { return queue_.status(now); }

    const Counters& counters() const { return queue_.counters(); }

private:
    Queue queue_;
    LinkMeter meter_;
    std::optional<TimePoint> last_poll_;
    std::vector<std::string> admitted_;  // in ask(), to be named by the next poll()
    std::unordered_map<std::string, std::vector<PlannedFile>>
        large_files_;  // that boards inside or waiting have yet to fetch
};

}  // namespace bramble::admission
