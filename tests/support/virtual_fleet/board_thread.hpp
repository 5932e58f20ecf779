// One virtual board on the wire, from its namespace to its report, in a thread of its own. It
// refuses to know the other boards.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "config/layout/manifest.hpp"
#include "tests/support/virtual_fleet/names.hpp"

namespace bramble::virtual_fleet {

struct Lab {
    std::string bridge;
    std::string up_url;  // where the root names none; {name}, {serial} and {server} are replaced
    const layout::Manifest* manifest = nullptr;  // to hold files against; nullptr: none
    bool verbose = false;
    bool processors = false;  // boards look at what they would run
    std::atomic<bool>* stop = nullptr;
    TimePoint started;                                 // of the program, by the clock below
    std::function<void(const std::string& line)> say;  // from any thread
};

TimePoint steady_now();

// Boots the board once; returns when it is up, has hung or halted, or is told to stop.
BoardReport run_board(const BoardName& board, const std::string& port, const Lab& lab);

}  // namespace bramble::virtual_fleet
