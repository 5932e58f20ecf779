// What the link carries, told from what its boards acknowledged: a sample whenever a window of time
// is over. It refuses to know who may boot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "config/types/time_point.hpp"

namespace bramble::admission {

struct LinkSample {
    std::uint64_t bytes_per_second = 0;  // of all boards together
    bool full = false;                   // the link, and nothing else, was what they waited for
};

class LinkMeter {
public:
    // Progress comes in lumps of a fifth of a second; a window must hold many of them.
    static constexpr Duration window = std::chrono::seconds(5);
    // Fewer boards than these may all be thinking.
    static constexpr std::size_t boards_min = 4;
    // Slower than this no board is by itself: one block of 1468 bytes in 1.2 ms.
    static constexpr std::uint64_t board_floor = 1'200'000;
    static constexpr std::size_t boards_max = 16'384;

    void add(const std::string& board, std::uint64_t bytes, TimePoint now);

    // None: the window is not over, or nothing was carried in it.
    std::optional<LinkSample> poll(TimePoint now);

private:
    std::optional<TimePoint> began_;  // none: nothing was carried since the last sample
    std::unordered_map<std::string, std::uint64_t> bytes_of_;
    std::uint64_t fastest_seen_ = board_floor;  // bytes a second, of one board
};

}  // namespace bramble::admission
