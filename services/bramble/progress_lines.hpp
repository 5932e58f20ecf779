// What a run shows on a terminal at one moment: a line for each step under way, with how long it
// has been and what it said last. It refuses to know the terminal and the clock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/types/time_point.hpp"
#include "provisioning/apply/apply.hpp"

namespace bramble::program {

class ProgressLines {
public:
    // What is to be printed once and to stay, with its newline; empty: the lines alone change.
    std::string on_event(const apply::Event& event, TimePoint now);

    // At most one line a step and one for all of them, each cut to the terminal's width.
    std::vector<std::string> lines(TimePoint now, std::size_t columns) const;

private:
    struct Running {
        std::string name;
        std::string said;
        TimePoint begun;
    };

    std::map<std::size_t, Running> running_;
    std::size_t done_ = 0;
    std::size_t steps_ = 0;
};

}  // namespace bramble::program
