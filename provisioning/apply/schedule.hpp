// Which steps may begin now: those whose predecessors are done and that get in nobody's way. It
// refuses to know what a step does and who carries it out.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bramble::apply {

class Schedule {
public:
    struct Item {
        std::vector<std::size_t> after;  // lower numbers
        std::vector<std::string> alone;  // no two steps that share one of these run at once
        bool despite = false;            // begins also when some of `after` failed
    };

    // With `keep_going` a failure stops what depends on it; without, whatever has not begun.
    Schedule(std::vector<Item> items, bool keep_going);

    // The first that may begin, which begins; none: wait for one that runs, or it is over.
    std::optional<std::size_t> next();

    void done(std::size_t step);
    // Answers with the steps that will never begin because of it, rising.
    std::vector<std::size_t> failed(std::size_t step);

    // Nothing begins from now on.
    void stop() {
        ready_.clear();
        stopped_ = true;
    }

    bool over() const { return ready_.empty() && running_ == 0; }

    // Whether any has neither begun nor been lost.
    bool waiting() const { return settled_or_begun_ < items_.size(); }

private:
    void end(std::size_t step);
    void settle(std::size_t step, bool well);

    std::vector<Item> items_;
    bool keep_going_;
    bool stopped_ = false;
    std::vector<std::vector<std::size_t>> before_;  // step -> those that wait for it
    std::vector<std::size_t> open_;                 // of its predecessors, not settled
    std::vector<bool> lost_;                        // it will never begin
    std::set<std::size_t> ready_;
    std::set<std::string> taken_;
    std::size_t running_ = 0;
    std::size_t settled_or_begun_ = 0;  // begun, or lost
    std::vector<std::size_t> newly_lost_;
};

}  // namespace bramble::apply
