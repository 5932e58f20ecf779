#include "services/admission/link_meter.hpp"

#include <algorithm>

namespace bramble::admission {

void LinkMeter::add(const std::string& board, std::uint64_t bytes, TimePoint now) {
    if (!began_) began_ = now;
    if (bytes_of_.size() >= boards_max && !bytes_of_.contains(board)) return;
    bytes_of_[board] += bytes;
}

// Boards that read lock-step are as fast as their round trips let them, and between files they
// think. So little traffic says nothing of the link. But when not even the fastest of several
// boards comes to half of what a board has been seen to do, they wait for each other.
std::optional<LinkSample> LinkMeter::poll(TimePoint now) {
    if (!began_ || now - *began_ < window) return std::nullopt;
    const double seconds = std::chrono::duration<double>(now - *began_).count();
    std::uint64_t sum = 0;
    std::uint64_t most = 0;
    for (const auto& [board, bytes] : bytes_of_) {
        sum += bytes;
        most = std::max(most, bytes);
    }
    const auto per_second = [seconds](std::uint64_t bytes) {
        return static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds);
    };
    const std::uint64_t fastest = per_second(most);
    const bool full = bytes_of_.size() >= boards_min && fastest * 2 < fastest_seen_;
    fastest_seen_ = std::max(fastest_seen_, fastest);
    began_.reset();
    bytes_of_.clear();
    return LinkSample{per_second(sum), full};
}

}  // namespace bramble::admission
