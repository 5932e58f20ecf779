// Looks closer at boards that have stopped, beside the loop: their generation is rehearsed, their
// NFS server asked. It refuses to judge: what it found goes to the boards' stories.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "config/fleet/fleet.hpp"
#include "services/boards/boot.hpp"
#include "services/io/catalog.hpp"

namespace bramble::program {

class Examiner {
public:
    // A room of boards may stop at once, and for one reason: further ones are not looked at.
    static constexpr std::size_t waiting_max = 32;

    struct Case {
        std::string board;
        boards::Phase reached = boards::Phase::address;
        std::shared_ptr<const fleet::Fleet> fleet;  // shared with whoever serves from it
        io::GenerationPtr generation;

        bool is_of(const Case& other) const {
            return fleet == other.fleet && generation == other.generation;
        }
    };

    // `on_examined` is called on the examiner's thread.
    using OnExamined = std::function<void(std::string board, boards::Examined found)>;

    explicit Examiner(OnExamined on_examined);

    // A board that waits to be looked at already is not taken twice.
    void examine(Case one);

private:
    void run(const std::stop_token& stop);

    OnExamined on_examined_;
    std::mutex mutex_;  // guards the queue
    std::condition_variable_any changed_;
    std::deque<Case> waiting_;
    std::jthread thread_;  // last: it ends before what it works with
};

}  // namespace bramble::program
