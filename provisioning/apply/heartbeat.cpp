#include "provisioning/apply/heartbeat.hpp"

namespace bramble::apply {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Heartbeat::Heartbeat(
    std::function<void(std::chrono::milliseconds)> beat, std::chrono::milliseconds silence
)
    : beat_(std::move(beat)), silence_(silence), thread_([this] { run(); }) {}

Heartbeat::~Heartbeat() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void Heartbeat::begin() {
    {
        const std::lock_guard lock(mutex_);
        active_ = true;
        begun_ = heard_ = Clock::now();
    }
    wake_.notify_all();
}

void Heartbeat::heard() {
    const std::lock_guard lock(mutex_);
    heard_ = Clock::now();
}

void Heartbeat::end() {
    const std::lock_guard lock(mutex_);
    active_ = false;
}

// The beat is called under the lock: `end` waits for one that is under way.
void Heartbeat::run() {
    std::unique_lock lock(mutex_);
    while (!over_) {
        if (!active_) {
            wake_.wait(lock);
            continue;
        }
        const Clock::time_point due = heard_ + silence_;
        if (Clock::now() < due) {
            wake_.wait_until(lock, due);
            continue;
        }
        heard_ = Clock::now();
        beat_(std::chrono::duration_cast<std::chrono::milliseconds>(heard_ - begun_));
    }
}

}  // namespace bramble::apply
