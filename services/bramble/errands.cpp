#include "services/bramble/errands.hpp"

#include <utility>

namespace bramble::program {

Errands::Errands() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

Errands::~Errands() = default;

bool Errands::add(std::function<void()> errand) {
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= waiting_max) return false;
        waiting_.push_back(std::move(errand));
    }
    changed_.notify_one();
    return true;
}

void Errands::run(const std::stop_token& stop) {
    for (;;) {
        std::function<void()> next;
        {
            std::unique_lock lock(mutex_);
            if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
            if (stop.stop_requested()) return;
            next = std::move(waiting_.front());
            waiting_.pop_front();
        }
        next();
    }
}

}  // namespace bramble::program
