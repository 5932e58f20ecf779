#include "provisioning/apply/schedule.hpp"

#include <algorithm>

namespace bramble::apply {

Schedule::Schedule(std::vector<Item> items, bool keep_going)
    : items_(std::move(items)),
      keep_going_(keep_going),
      before_(items_.size()),
      open_(items_.size()),
      lost_(items_.size()) {
    for (std::size_t step = 0; step < items_.size(); ++step) {
        open_[step] = items_[step].after.size();
        for (const std::size_t earlier : items_[step].after) before_[earlier].push_back(step);
        if (open_[step] == 0) ready_.insert(step);
    }
}

std::optional<std::size_t> Schedule::next() {
    for (const std::size_t step : ready_) {
        const auto& alone = items_[step].alone;
        const bool free = std::none_of(alone.begin(), alone.end(), [&](const std::string& name) {
            return taken_.contains(name);
        });
        if (!free) continue;
        taken_.insert(alone.begin(), alone.end());
        ready_.erase(step);
        ++running_;
        ++settled_or_begun_;
        return step;
    }
    return std::nullopt;
}

void Schedule::end(std::size_t step) {
    --running_;
    for (const std::string& name : items_[step].alone) taken_.erase(name);
}

void Schedule::done(std::size_t step) {
    end(step);
    settle(step, true);
}

std::vector<std::size_t> Schedule::failed(std::size_t step) {
    end(step);
    if (!keep_going_) {
        stop();
        return {};
    }
    newly_lost_.clear();
    settle(step, false);
    std::sort(newly_lost_.begin(), newly_lost_.end());
    return std::move(newly_lost_);
}

// What is lost settles too, and takes along what waits for it.
void Schedule::settle(std::size_t step, bool well) {
    std::vector<std::pair<std::size_t, bool>> settled = {{step, well}};
    while (!settled.empty()) {
        const auto [one, fine] = settled.back();
        settled.pop_back();
        for (const std::size_t later : before_[one]) {
            --open_[later];
            if (!fine && !items_[later].despite && !lost_[later]) {
                lost_[later] = true;
                ++settled_or_begun_;
                newly_lost_.push_back(later);
                settled.emplace_back(later, false);
            }
            if (open_[later] == 0 && !lost_[later] && !stopped_) ready_.insert(later);
        }
    }
}

}  // namespace bramble::apply
