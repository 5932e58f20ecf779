// The main thread's event loop: readable descriptors, timers, signals, and calls posted from other
// threads. It hides Asio, and refuses to know any protocol.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/types/time_point.hpp"
#include "services/io/clock.hpp"

namespace bramble::io {

// Calls back while a descriptor is readable; destroying it ends that. The descriptor stays its
// owner's and must outlive the watch.
class Watch {
public:
    struct State;

    Watch() = default;
    explicit Watch(std::shared_ptr<State> state);
    ~Watch();
    Watch(Watch&&) noexcept = default;
    Watch& operator=(Watch&&) noexcept;

private:
    std::shared_ptr<State> state_;  // shared with the wait in flight, which outlives us by one turn
};

// One deadline at a time; setting another replaces it.
class Timer {
public:
    struct State;

    Timer() = default;
    explicit Timer(std::shared_ptr<State> state);
    ~Timer();
    Timer(Timer&&) noexcept = default;
    Timer& operator=(Timer&&) noexcept;

    void expire_at(TimePoint at);
    void cancel();

private:
    std::shared_ptr<State> state_;  // shared with the wait in flight, as above
};

class Loop {
public:
    struct Impl;

    explicit Loop(Clock clock = Clock());
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    const Clock& clock() const { return clock_; }

    TimePoint now() const { return clock_.now(); }

    void run();                             // until stop()
    void stop();                            // from any thread
    void post(std::function<void()> call);  // from any thread; runs on the loop's

    // `on_ready` must read until EAGAIN or leave the rest for its next turn; both are sound.
    Watch watch_readable(int fd, std::function<void()> on_ready);
    Timer make_timer(std::function<void()> on_expiry);
    void on_signals(const std::vector<int>& numbers, std::function<void(int)> on_signal);

    Impl& impl() { return *impl_; }

private:
    Clock clock_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace bramble::io
