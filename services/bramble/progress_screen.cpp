#include "services/bramble/progress_screen.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace bramble::program {
namespace {

constexpr std::size_t usual_columns = 80;
constexpr std::size_t usual_rows = 24;

struct Size {
    std::size_t columns = usual_columns;
    std::size_t rows = usual_rows;
};

Size size_of_terminal() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
    return {size.ws_col, size.ws_row == 0 ? usual_rows : size.ws_row};
}

TimePoint now() {
    return TimePoint(
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())
    );
}

}  // namespace

ProgressScreen::ProgressScreen()
    : thread_([this](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          while (!stop.stop_requested()) {
              draw();
              wake_.wait_for(lock, stop, redraw_pause, [] { return false; });
          }
      }) {}

ProgressScreen::~ProgressScreen() {
    thread_.request_stop();
    thread_.join();
    clear();
    fmt::print("{}", kept_);
    std::fflush(stdout);
}

void ProgressScreen::on_event(const apply::Event& event) {
    const std::lock_guard lock(mutex_);
    kept_ += lines_.on_event(event, now());
}

void ProgressScreen::print(std::string_view text) {
    const std::lock_guard lock(mutex_);
    kept_ += text;
    if (!text.ends_with('\n')) kept_ += '\n';
    draw();
}

void ProgressScreen::clear() {
    if (drawn_ != 0) fmt::print("\x1b[{}A\r\x1b[J", drawn_);
    drawn_ = 0;
}

void ProgressScreen::draw() {
    const Size size = size_of_terminal();
    std::vector<std::string> lines = lines_.lines(now(), size.columns - 1);
    // What has scrolled off cannot be drawn again.
    if (lines.size() > size.rows - 1) lines.erase(lines.begin(), lines.end() - (size.rows - 1));
    clear();
    fmt::print("{}", std::exchange(kept_, {}));
    for (const std::string& line : lines) fmt::print("{}\n", line);
    drawn_ = lines.size();
    std::fflush(stdout);
}

}  // namespace bramble::program
