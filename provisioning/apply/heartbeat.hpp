// Tells that something still goes on whenever nothing was heard of it for a while, so that no slow
// step looks like a hang. It refuses to know what goes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace bramble::apply {

class Heartbeat {
public:
    static constexpr std::chrono::milliseconds silence_max = std::chrono::seconds(2);

    // `beat` is called from a thread of its own with the time since `begin`, never after the
    // destructor, nor within `silence` of `begin`, of `heard` or of the last beat.
    explicit Heartbeat(
        std::function<void(std::chrono::milliseconds)> beat,
        std::chrono::milliseconds silence = silence_max
    );
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    void begin();  // something slow may begin
    void heard();  // it said something itself
    void end();    // it is over; no beat is under way when this returns

private:
    void run();

    std::function<void(std::chrono::milliseconds)> beat_;
    std::chrono::milliseconds silence_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool active_ = false;
    bool over_ = false;
    std::chrono::steady_clock::time_point begun_;
    std::chrono::steady_clock::time_point heard_;
    std::thread thread_;
};

}  // namespace bramble::apply
