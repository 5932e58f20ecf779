#include "services/tftp/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace bramble::tftp {
namespace {

constexpr std::int64_t ring = static_cast<std::int64_t>(TimerWheel::buckets);

std::size_t bucket_of(std::int64_t tick) {
    return static_cast<std::size_t>(tick % ring);
}

}  // namespace

TimerWheel::TimerWheel() {
    heads_.fill(no_slot);
}

std::int64_t TimerWheel::tick_of(TimePoint deadline) {
    const Duration since = deadline.time_since_epoch();
    return since / tick + (since % tick != Duration(0) ? 1 : 0);
}

void TimerWheel::link(Slot slot, TimePoint deadline) {
    const std::int64_t at = std::clamp(tick_of(deadline), current_, current_ + ring - 1);
    const std::size_t bucket = bucket_of(at);
    Node& node = nodes_[slot];
    node.tick = at;
    node.previous = no_slot;
    node.next = heads_[bucket];
    if (node.next != no_slot) nodes_[node.next].previous = slot;
    heads_[bucket] = slot;
    occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
}

void TimerWheel::unlink(Slot slot) {
    Node& node = nodes_[slot];
    const std::size_t bucket = bucket_of(node.tick);
    if (node.previous == no_slot) {
        heads_[bucket] = node.next;
        if (node.next == no_slot) occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
    } else {
        nodes_[node.previous].next = node.next;
    }
    if (node.next != no_slot) nodes_[node.next].previous = node.previous;
    node.tick = -1;
}

void TimerWheel::arm(Slot slot, TimePoint deadline, TimePoint now) {
    if (slot >= nodes_.size()) nodes_.resize(slot + 1);
    if (armed_ == 0) current_ = std::max<std::int64_t>(current_, now.time_since_epoch() / tick);
    Node& node = nodes_[slot];
    node.deadline = deadline;
    if (node.tick >= 0) {
        if (tick_of(deadline) >= node.tick) return;  // collect() will move it on when it gets there
        unlink(slot);
    } else {
        ++armed_;
    }
    link(slot, deadline);
}

void TimerWheel::disarm(Slot slot) {
    if (slot >= nodes_.size() || nodes_[slot].tick < 0) return;
    unlink(slot);
    --armed_;
}

void TimerWheel::collect(std::int64_t at, TimePoint now) {
    due_.clear();
    Slot slot = heads_[bucket_of(at)];
    while (slot != no_slot) {
        const Slot following = nodes_[slot].next;
        unlink(slot);
        if (nodes_[slot].deadline <= now) {
            --armed_;
            due_.push_back(slot);
        } else {
            link(slot, nodes_[slot].deadline);
        }
        slot = following;
    }
}

std::int64_t TimerWheel::first_occupied() const {
    if (armed_ == 0) return std::numeric_limits<std::int64_t>::max();
    std::int64_t offset = 0;
    while (offset < ring) {
        const std::size_t bucket = bucket_of(current_ + offset);
        const std::uint64_t word = occupied_[bucket / 64] >> (bucket % 64);
        if (word != 0) return current_ + offset + std::countr_zero(word);
        offset += static_cast<std::int64_t>(64 - bucket % 64);
    }
    return current_ + ring;  // not reached: something is armed
}

std::optional<TimePoint> TimerWheel::next() const {
    if (armed_ == 0) return std::nullopt;
    return TimePoint(first_occupied() * tick);
}

}  // namespace bramble::tftp
