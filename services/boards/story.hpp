// A boot's story as lines for people: quickstart prints them, serve logs them. It refuses to know
// where they go.
#pragma once

#include <string>
#include <string_view>

#include "services/boards/boot.hpp"

namespace bramble::boards {

enum class Weight {
    minor,  // one of dozens of small files
    major,
    alarm,  // somebody has to look
};

struct StoryLine {
    TimePoint at{};
    std::string board;
    std::string phase;  // a phase's name, "up", "waiting", "stuck", "circle", "examined", "silent"
    std::string text;
    Weight weight = Weight::major;

    friend bool operator==(const StoryLine&, const StoryLine&) = default;
};

// "pi-03  firmware   start4.elf 2.3 MB in 0.9 s": the columns padded so that lines stand below each
// other. What came from the network is shown without control characters.
std::string render(const StoryLine& line, std::size_t board_width = 8);

// "start4.elf 2.3 MB in 0.9 s, 2 blocks sent again"
std::string describe_file(const FileEnded& file, TimePoint ended);

// "41.2 s (address 2.5 s, firmware 3.1 s, …), 12.3 MB loaded"
std::string describe_boot(const Boot& boot);

// "up after 41.2 s", "stopped in kernel: kernel8.img was loaded, …": how a boot ended, or where it
// is.
std::string describe_end(const Boot& boot);

// Without control characters, and cut where it is longer than anything sensible.
std::string printable(std::string_view text, std::size_t bytes_max = 255);

}  // namespace bramble::boards
