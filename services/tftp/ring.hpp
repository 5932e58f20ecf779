// A first-in first-out queue in one array that only ever grows: no allocation once it has seen its
// busiest moment. It refuses to know what it holds.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace bramble::tftp {

template <typename T>
class Ring {
public:
    bool empty() const { return count_ == 0; }

    std::size_t size() const { return count_; }

    T& front() { return items_[head_]; }

    void push(T item) {
        if (count_ == items_.size()) grow();
        items_[(head_ + count_) & (items_.size() - 1)] = std::move(item);
        ++count_;
    }

    T pop() {
        T item = std::move(items_[head_]);
        head_ = (head_ + 1) & (items_.size() - 1);
        --count_;
        return item;
    }

private:
    void grow() {
        std::vector<T> larger(items_.empty() ? 16 : items_.size() * 2);
        for (std::size_t i = 0; i < count_; ++i) {
            larger[i] = std::move(items_[(head_ + i) & (items_.size() - 1)]);
        }
        items_ = std::move(larger);
        head_ = 0;
    }

    std::vector<T> items_;  // a power of two in size
    std::size_t head_ = 0;
    std::size_t count_ = 0;
};

}  // namespace bramble::tftp
