// The lines of a run at the bottom of a terminal, redrawn in place a few times a second. It refuses
// to know what they say.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "services/bramble/progress_lines.hpp"

namespace bramble::program {

// Standard output is a terminal. When it goes, its lines go with it and what was printed stays.
class ProgressScreen {
public:
    static constexpr auto redraw_pause = std::chrono::milliseconds(200);

    ProgressScreen();
    ~ProgressScreen();
    ProgressScreen(const ProgressScreen&) = delete;
    ProgressScreen& operator=(const ProgressScreen&) = delete;

    void on_event(const apply::Event& event);
    void print(std::string_view text);  // above the lines, to stay

private:
    void draw();  // with the lock held
    void clear();

    std::mutex mutex_;  // guards all below
    std::condition_variable_any wake_;
    ProgressLines lines_;
    std::string kept_;       // printed with the next drawing
    std::size_t drawn_ = 0;  // lines that are there now
    std::jthread thread_;    // last: it ends before what it works with
};

}  // namespace bramble::program
