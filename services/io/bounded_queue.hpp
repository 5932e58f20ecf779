// A ring between exactly one writing and one reading thread, of fixed size and without locks; what
// does not fit is refused. It refuses to wake anybody.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace bramble::io {

template <typename T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : slots_(capacity + 1) {}

    // Writing thread only. False: the ring is full and `value` was not taken.
    bool push(T&& value) {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        const std::size_t next = advance(tail);
        if (next == head_.load(std::memory_order_acquire)) return false;
        slots_[tail] = std::move(value);
        tail_.store(next, std::memory_order_release);
        return true;
    }

    // Reading thread only.
    std::optional<T> pop() {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
        std::optional<T> value(std::move(slots_[head]));
        head_.store(advance(head), std::memory_order_release);
        return value;
    }

    std::size_t capacity() const { return slots_.size() - 1; }

private:
    std::size_t advance(std::size_t index) const {
        return index + 1 == slots_.size() ? 0 : index + 1;
    }

    std::vector<T> slots_;
    // Far apart, so that the two threads do not fight for one cache line.
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace bramble::io
