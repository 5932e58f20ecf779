#include "services/admission/queue.hpp"

#include <iterator>

namespace bramble::admission {

Decision Queue::ask(const std::string& board, const std::string& group, Work work, TimePoint now) {
    ++counters_.asked;
    if (work.total_bytes == 0) work = settings_.typical;
    if (const auto found = inside_.find(board); found != inside_.end()) {
        // It begins anew: a reset, or an offer that was lost. Its place is its own, its work starts
        // over.
        take_out(found);
        put_inside(board, {group, work, now});
        return {};
    }
    const auto place = find_waiting(board);
    if (place != waiting_.end()) {
        place->last_asked = now;
        return {waiting_place(board, now)};
    }
    const bool full = inside_.size() + waiting_.size() >= Settings::boards_max;
    if (full) ++counters_.overflowed;
    const bool room = waiting_.empty() && !group_is_full(group) && has_room_for(work);
    if (!settings_.enabled || full || room) {
        let_in(board, group, work, now);
        return {};
    }
    const auto before = recent_.find(board);
    const bool retry = before != recent_.end() && !before->second.finished &&
                       now - before->second.let_in < settings_.retry_window;
    ++counters_.deferred;
    const std::size_t position =
        enqueue({Turn{!retry, next_number_++}, board, group, work, now, now});
    return {Waiting{position, expected_start(position, now)}};
}

std::size_t Queue::enqueue(Place place) {
    // Everyone asked at some time; the first to be forgotten is no earlier than the earliest of
    // those and this one.
    const TimePoint forgotten = place.last_asked + settings_.forget;
    waiting_checked_until_ =
        waiting_.empty() ? forgotten : std::min(waiting_checked_until_, forgotten);
    turn_of_.emplace(place.board, place.turn);
    waiting_bytes_ += place.work.total_bytes;
    const auto at = std::lower_bound(
        waiting_.begin(),
        waiting_.end(),
        place.turn,
        [](const Place& p, const Turn& turn) { return p.turn < turn; }
    );
    const auto placed = waiting_.insert(at, std::move(place));
    return static_cast<std::size_t>(placed - waiting_.begin()) + 1;
}

Queue::Line::const_iterator Queue::find_waiting(const std::string& board) const {
    const auto found = turn_of_.find(board);
    if (found == turn_of_.end()) return waiting_.end();
    return std::lower_bound(
        waiting_.begin(),
        waiting_.end(),
        found->second,
        [](const Place& p, const Turn& turn) { return p.turn < turn; }
    );
}

Queue::Line::iterator Queue::find_waiting(const std::string& board) {
    const auto place = static_cast<const Queue*>(this)->find_waiting(board);
    return waiting_.begin() + (place - waiting_.cbegin());
}

Queue::Line::iterator Queue::remove_waiting(Line::iterator place) {
    turn_of_.erase(place->board);
    waiting_bytes_ -= place->work.total_bytes;
    return waiting_.erase(place);
}

void Queue::on_progress(const std::string& board, std::uint64_t bytes, TimePoint now) {
    auto found = inside_.find(board);
    if (found == inside_.end()) {
        const auto recent = recent_.find(board);
        const bool known = recent != recent_.end();
        if (known && recent->second.finished) return;  // the last small files behind the large ones
        if (inside_.size() >= Settings::boards_max) return;
        ++counters_.uninvited;
        const auto place = find_waiting(board);
        if (place != waiting_.end()) {  // another server answered it
            put_inside(board, {place->group, place->work, now});
            remove_waiting(place);
        } else if (known) {
            put_inside(board, {recent->second.group, recent->second.left, now});
        } else {
            put_inside(board, {"", settings_.typical, now});
        }
        found = inside_.find(board);
    }
    Inside& inside = found->second;
    inside.heard = now;
    const std::uint64_t carried = std::min(inside.left.total_bytes, bytes);
    inside.left.total_bytes -= carried;
    inside_bytes_ -= carried;
    if (inside.left.total_bytes == 0) inside.left.largest_file_bytes = 0;
}

void Queue::set_largest_file(const std::string& board, std::uint64_t bytes) {
    if (const auto found = inside_.find(board); found != inside_.end()) {
        found->second.left.largest_file_bytes = bytes;
    }
}

void Queue::on_left(const std::string& board) {
    if (const auto found = inside_.find(board); found != inside_.end()) take_out(found);
    if (const auto recent = recent_.find(board); recent != recent_.end()) {
        recent->second.finished = true;
    }
}

void Queue::withdraw(const std::string& board) {
    if (const auto place = find_waiting(board); place != waiting_.end()) remove_waiting(place);
}

void Queue::on_measured(std::uint64_t bytes_per_second) {
    if (bytes_per_second == 0) return;
    // One slow moment must not close the lab: an eighth of the difference at a time.
    const std::uint64_t old = link();
    measured_ = old - old / 8 + bytes_per_second / 8;
}

void Queue::on_unhindered() {
    if (!measured_) return;
    *measured_ += std::max<std::uint64_t>(*measured_ / 16, 1);
    if (*measured_ >= settings_.link_bytes_per_second) measured_.reset();
}

std::vector<std::string> Queue::poll_admitted(TimePoint now) {
    expire(now);
    std::vector<std::string> admitted;
    for (auto place = waiting_.begin(); place != waiting_.end();) {
        if (settings_.enabled && group_is_full(place->group)) {
            ++place;  // its group must wait, the others need not
            continue;
        }
        if (settings_.enabled && !has_room_for(place->work)) break;
        admitted.push_back(place->board);
        let_in(place->board, place->group, place->work, now);
        place = remove_waiting(place);
    }
    return admitted;
}

void Queue::let_in(const std::string& board, const std::string& group, Work work, TimePoint now) {
    ++counters_.admitted;
    put_inside(board, {group, work, now});
    if (recent_.size() >= Settings::boards_max) prune_recent(now);
    if (recent_.size() < Settings::boards_max || recent_.contains(board)) {
        recent_.insert_or_assign(board, Recent{now, group, work, false});
    }
}

void Queue::prune_recent(TimePoint now) {
    std::erase_if(recent_, [&](const auto& entry) {
        return now - entry.second.let_in >= settings_.retry_window;
    });
}

void Queue::put_inside(const std::string& board, Inside inside) {
    inside_bytes_ += inside.left.total_bytes;
    ++inside_of_group_[inside.group];
    inside_.insert_or_assign(board, std::move(inside));
}

std::map<std::string, Queue::Inside>::iterator Queue::take_out(
    std::map<std::string, Inside>::iterator place
) {
    inside_bytes_ -= place->second.left.total_bytes;
    const auto group = inside_of_group_.find(place->second.group);
    if (--group->second == 0) inside_of_group_.erase(group);
    if (const auto recent = recent_.find(place->first); recent != recent_.end()) {
        recent->second.left = place->second.left;
    }
    return inside_.erase(place);
}

void Queue::expire(TimePoint now) {
    for (auto place = inside_.begin(); place != inside_.end();) {
        const bool silent = now - place->second.heard >= settings_.silence;
        counters_.expired += silent ? 1 : 0;
        place = silent ? take_out(place) : std::next(place);
    }
    if (waiting_.empty() || now < waiting_checked_until_) return;
    waiting_checked_until_ = TimePoint::max();
    for (auto place = waiting_.begin(); place != waiting_.end();) {
        if (now - place->last_asked < settings_.forget) {
            waiting_checked_until_ =
                std::min(waiting_checked_until_, place->last_asked + settings_.forget);
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
    if (!waiting_.empty()) consider(waiting_checked_until_);
    return next;
}

// The boards inside share the link evenly, so with n of them a file of b bytes takes n·b / link.
// Two bounds: every file in time, and no more boards than keep the link full: beyond that each
// newcomer only slows the others down. The first is a promise, so it counts whole files: what is
// left of one that is half fetched must still come within what is left of its time.
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

bool Queue::group_is_full(const std::string& group) const {
    if (settings_.group_max == 0 || group.empty()) return false;
    const auto found = inside_of_group_.find(group);
    return found != inside_of_group_.end() && found->second >= settings_.group_max;
}

bool Queue::has_room_for(const Work& work) const {
    return inside_.size() < capacity(std::max(work.largest_file_bytes, largest_left_inside()));
}

// What is ahead of it in bytes, at the link's speed; those that wait before it count with the
// average of all that wait.
TimePoint Queue::expected_start(std::size_t position, TimePoint now) const {
    auto bytes = static_cast<double>(inside_bytes_);
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

std::optional<Waiting> Queue::waiting_place(const std::string& board, TimePoint now) const {
    const auto place = find_waiting(board);
    if (place == waiting_.end()) return std::nullopt;
    const auto position = static_cast<std::size_t>(place - waiting_.begin()) + 1;
    return Waiting{position, expected_start(position, now)};
}

Status Queue::status(TimePoint now) const {
    Status status;
    status.enabled = settings_.enabled;
    status.inside = inside_.size();
    status.capacity =
        capacity(std::max(settings_.typical.largest_file_bytes, largest_left_inside()));
    status.link_bytes_per_second = link();
    status.waiting.reserve(waiting_.size());
    std::size_t position = 0;
    for (const Place& place : waiting_) {
        ++position;
        status.waiting.push_back(
            {place.board,
             place.group,
             position,
             now - place.first_asked,
             expected_start(position, now),
             !place.turn.newcomer}
        );
    }
    return status;
}

}  // namespace bramble::admission
