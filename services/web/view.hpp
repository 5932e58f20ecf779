// What the pages show, gathered by the shell for one request. It refuses to change any of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/time_point.hpp"
#include "services/admission/queue.hpp"
#include "services/boards/tracker.hpp"

namespace bramble::web {

struct ServerFacts {
    std::string version;
    TimePoint now{};
    TimePoint started{};
    std::uint64_t generation = 0;    // 0: nothing is published
    std::string generation_created;  // RFC 3339
    std::string reload_error;        // empty: the last reload was taken over whole
    bool draining = false;
    std::uint64_t open_transfers = 0;
    std::uint64_t bytes_sent = 0;  // TFTP payload since the start
    std::uint64_t leases = 0;
    // TFTP payload of each of the last seconds, the latest last; empty: nobody measured.
    std::vector<std::uint64_t> link_use;
};

// Borrows everything; lives for one answer.
struct View {
    const ServerFacts& server;
    const fleet::Fleet& fleet;
    const boards::Tracker& tracker;
    const admission::Status* admission = nullptr;  // nullptr: nobody is ever held for the link
    // Finished boots of the board that the request is about, newest first; nullptr: those that the
    // tracker remembers.
    const std::vector<boards::Boot>* kept = nullptr;
    // The console of an earlier boot, by the instant that it began at; nullptr: none is kept.
    const std::function<std::string(TimePoint started)>* kept_console = nullptr;
};

}  // namespace bramble::web
