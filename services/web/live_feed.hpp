// What changed since the open pages were last told: boards by name, strangers, the server's own
// figures, gathered so that a thousand changes are a few messages. It refuses to know who listens.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/time_point.hpp"

namespace bramble::web {

class LiveFeed {
public:
    static constexpr std::size_t rows_max = 200;  // of one message; the rest goes with the next
    static constexpr Duration status_every = std::chrono::seconds(1);

    void on_board(std::string_view name) {
        if (!boards_.contains(name)) boards_.emplace(name);
    }

    void on_stranger() { strangers_ = true; }

    struct Due {
        std::vector<std::string> boards;
        bool strangers = false;
        bool status = false;
    };

    // What to tell now; it counts as told.
    Due take(TimePoint now);

    // Nobody listens: whoever comes asks for everything first.
    void forget() {
        boards_.clear();
        strangers_ = false;
    }

private:
    std::set<std::string, std::less<>> boards_;
    bool strangers_ = false;
    TimePoint status_due_{};
};

}  // namespace bramble::web
