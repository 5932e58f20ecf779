#include "services/admission/queue.hpp"

#include <algorithm>

namespace bramble::admission {

Decision Queue::ask(const std::string& board, const std::string& group, Work work, TimePoint now) {
    ++counters_.asked;
    if (work.total_bytes == 0) work = settings_.typical;
    if (const auto found = inside_.find(board); found != inside_.end()) {
        // It begins anew: a reset, or an offer that was lost. Its place is its own, its work starts
        // over.
        found->second.left = work;
        found->second.heard = now;
        return {};
    }
    const auto place = find_waiting(board);
    if (place != waiting_.end()) {
        place->last_asked = now;
        const auto position = static_cast<std::size_t>(place - waiting_.begin()) + 1;
        return {Waiting{position, expected_start(position, now)}};
    }
    const bool full = inside_.size() + waiting_.size() >= Settings::boards_max;
    if (full) ++counters_.overflowed;
    if (!settings_.enabled || full || (waiting_.empty() && has_room_for(work, group))) {
        let_in(board, group, work, now);
        return {};
    }
    const auto before = let_in_at_.find(board);
    const bool retry = before != let_in_at_.end() && now - before->second < settings_.retry_window;
    ++counters_.deferred;
    const std::size_t position = enqueue({board, group, work, now, now, retry});
    return {Waiting{position, expected_start(position, now)}};
}

// Retries before newcomers, each kind in the order of its first asking.
std::size_t Queue::enqueue(Place place) {
    waiting_names_.insert(place.board);
    waiting_bytes_ += place.work.total_bytes;
    const auto turn =
        place.retry ? std::find_if(
                          waiting_.begin(), waiting_.end(), [](const Place& p) { return !p.retry; }
                      )
                    : waiting_.end();
    const auto placed = waiting_.insert(turn, std::move(place));
    return static_cast<std::size_t>(placed - waiting_.begin()) + 1;
}

std::deque<Queue::Place>::iterator Queue::find_waiting(const std::string& board) {
    if (!waiting_names_.contains(board)) return waiting_.end();
    return std::find_if(waiting_.begin(), waiting_.end(), [&](const Place& p) {
        return p.board == board;
    });
}

std::deque<Queue::Place>::iterator Queue::remove_waiting(std::deque<Place>::iterator place) {
    waiting_names_.erase(place->board);
    waiting_bytes_ -= place->work.total_bytes;
    return waiting_.erase(place);
}

void Queue::on_progress(const std::string& board, std::uint64_t bytes, TimePoint now) {
    const auto found = inside_.find(board);
    if (found == inside_.end()) return;
    Inside& inside = found->second;
    inside.heard = now;
    inside.left.total_bytes -= std::min(inside.left.total_bytes, bytes);
    inside.left.largest_file_bytes =
        std::min(inside.left.largest_file_bytes, inside.left.total_bytes);
}

void Queue::on_left(const std::string& board) {
    inside_.erase(board);
    const auto place = find_waiting(board);
    if (place != waiting_.end()) remove_waiting(place);
}

void Queue::on_measured(std::uint64_t bytes_per_second) {
    if (bytes_per_second == 0) return;
    // One slow moment must not close the lab: an eighth of the difference at a time.
    const std::uint64_t old = link();
    measured_ = old - old / 8 + bytes_per_second / 8;
}

std::vector<std::string> Queue::poll_admitted(TimePoint now) {
    expire(now);
    std::vector<std::string> admitted;
    for (auto place = waiting_.begin(); place != waiting_.end();) {
        const bool group_full =
            settings_.group_max != 0 && inside_of_group(place->group) >= settings_.group_max;
        if (settings_.enabled && group_full) {
            ++place;  // its group must wait, the others need not
            continue;
        }
        if (settings_.enabled && !has_room_for(place->work, place->group)) break;
        admitted.push_back(place->board);
        let_in(place->board, place->group, place->work, now);
        place = remove_waiting(place);
    }
    return admitted;
}

void Queue::let_in(const std::string& board, const std::string& group, Work work, TimePoint now) {
    ++counters_.admitted;
    inside_[board] = Inside{group, work, now};
    if (let_in_at_.size() >= Settings::boards_max) {
        std::erase_if(let_in_at_, [&](const auto& entry) {
            return now - entry.second >= settings_.retry_window;
        });
    }
    if (let_in_at_.size() < Settings::boards_max) let_in_at_[board] = now;
}

void Queue::expire(TimePoint now) {
    counters_.expired += std::erase_if(inside_, [&](const auto& entry) {
        return now - entry.second.heard >= settings_.silence;
    });
    for (auto place = waiting_.begin(); place != waiting_.end();) {
        if (now - place->last_asked < settings_.forget) {
            ++place;
            continue;
        }
        ++counters_.expired;
        place = remove_waiting(place);
    }
}

std::optional<TimePoint> Queue::next_deadline() const {
    std::optional<TimePoint> next;
    const auto consider = [&next](TimePoint t) { next = next ? std::min(*next, t) : t; };
    for (const auto& [board, inside] : inside_) consider(inside.heard + settings_.silence);
    for (const Place& place : waiting_) consider(place.last_asked + settings_.forget);
    return next;
}

// The boards inside share the link evenly, so with n of them a file of b bytes takes n·b / link.
// Two bounds: every file in time, and no more boards than keep the link full: beyond that each
// newcomer only slows the others down.
std::size_t Queue::capacity(std::uint64_t largest_file_bytes) const {
    const double seconds =
        std::chrono::duration<double>(settings_.file_limit).count() * settings_.file_margin;
    const double in_time = seconds * static_cast<double>(link()) /
                           static_cast<double>(std::max<std::uint64_t>(largest_file_bytes, 1));
    const double filled = settings_.fill * static_cast<double>(link()) /
                          static_cast<double>(settings_.board_bytes_per_second);
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::min(in_time, filled)));
}

std::uint64_t Queue::largest_left_inside() const {
    std::uint64_t largest = 0;
    for (const auto& [board, inside] : inside_)
        largest = std::max(largest, inside.left.largest_file_bytes);
    return largest;
}

std::size_t Queue::inside_of_group(const std::string& group) const {
    return static_cast<std::size_t>(std::count_if(
        inside_.begin(),
        inside_.end(),
        [&](const auto& entry) { return entry.second.group == group; }
    ));
}

bool Queue::has_room_for(const Work& work, const std::string& group) const {
    if (settings_.group_max != 0 && inside_of_group(group) >= settings_.group_max) return false;
    return inside_.size() < capacity(std::max(work.largest_file_bytes, largest_left_inside()));
}

// What is ahead of it in bytes, at the link's speed; those that wait before it count with the
// average of all that wait.
TimePoint Queue::expected_start(std::size_t position, TimePoint now) const {
    double bytes = 0;
    for (const auto& [board, inside] : inside_)
        bytes += static_cast<double>(inside.left.total_bytes);
    if (!waiting_.empty()) {
        bytes += static_cast<double>(waiting_bytes_) * static_cast<double>(position - 1) /
                 static_cast<double>(waiting_.size());
    }  // It enters when all but a full house of what is ahead has been carried.
    const double house = static_cast<double>(capacity(settings_.typical.largest_file_bytes)) *
                         static_cast<double>(settings_.typical.total_bytes) / 2;
    const double seconds =
        std::max(0.0, bytes - house) / static_cast<double>(std::max<std::uint64_t>(link(), 1));
    return now + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Status Queue::status(TimePoint now) const {
    Status status;
    status.inside = inside_.size();
    status.capacity =
        capacity(std::max(settings_.typical.largest_file_bytes, largest_left_inside()));
    status.link_bytes_per_second = link();
    std::size_t position = 0;
    for (const Place& place : waiting_) {
        ++position;
        status.waiting.push_back(
            {place.board,
             place.group,
             position,
             now - place.first_asked,
             expected_start(position, now),
             place.retry}
        );
    }
    return status;
}

}  // namespace bramble::admission
