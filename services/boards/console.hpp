// A board's console as its boot loader and its kernel send it by UDP: lines of printable text, the
// latest ones, within bounds. It refuses to know sockets and which board it is.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "config/types/time_point.hpp"

namespace bramble::boards {

struct ConsoleLine {
    TimePoint at{};  // of its first byte
    std::string text;
    bool from_loader = false;

    friend bool operator==(const ConsoleLine&, const ConsoleLine&) = default;
};

class Console {
public:
    static constexpr std::size_t lines_max = 1000;       // of one boot; the oldest go
    static constexpr std::size_t bytes_max = 64 * 1024;  // of one boot, likewise
    static constexpr std::size_t line_bytes_max = 1024;  // a longer one goes on in the next
    static constexpr Duration unfinished_max = std::chrono::seconds(2);  // a line without an end

    // One datagram. A line may come in several, and several in one. Bytes that are no printable
    // ASCII are shown as \xNN; what a terminal would do (colours, carriage returns) is left out.
    void add(std::string_view datagram, bool from_loader, TimePoint now);

    const std::deque<ConsoleLine>& lines() const { return lines_; }

    std::uint64_t dropped() const { return dropped_; }  // lines that are not here any more

    bool empty() const { return lines_.empty(); }

    // The line that says most about why a boot stopped: the first of a panic, else the last one.
    std::string telling_line() const;

    // Takes out the loader's lines since `since`: they belong to the boot that begins now.
    Console take_loader_lines(TimePoint since);

    // One line each, "seconds since `started`, two spaces, text".
    std::string text(TimePoint started) const;

private:
    void append(char byte);
    void begin_line(bool from_loader, TimePoint now);
    void put(std::string_view text);
    void trim();

    enum class Escape { none, begun, inside };

    std::deque<ConsoleLine> lines_;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
    bool open_ = false;  // the last line has not ended
    Escape escape_ = Escape::none;
    TimePoint last_{};
};

// The text of a datagram of the kernel's extended netconsole, "6,416,1758426,-;text" with its
// continuation lines taken off; any other datagram as it is.
std::string_view without_extended_header(std::string_view datagram);

}  // namespace bramble::boards
