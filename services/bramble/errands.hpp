// What would hold up the loop, done one after the other on a thread beside it: a bounded number
// waits. It refuses to know what is done.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace bramble::program {

class Errands {
public:
    static constexpr std::size_t waiting_max = 8;

    Errands();
    ~Errands();  // waits for the one that runs
    Errands(const Errands&) = delete;
    Errands& operator=(const Errands&) = delete;

    // False: too many wait already.
    bool add(std::function<void()> errand);

private:
    void run(const std::stop_token& stop);

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> waiting_;
    std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace bramble::program
