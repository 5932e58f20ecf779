#include "provisioning/apply/in_order.hpp"

namespace bramble::apply {

void InOrder::on_event(const Event& event) {
    if (event.step > front_) {
        kept_[event.step].push_back(event);
        return;
    }
    tell(event);
    for (auto next = kept_.find(front_); next != kept_.end(); next = kept_.find(front_)) {
        const std::deque<Event> events = std::move(next->second);
        kept_.erase(next);
        for (const Event& one : events) tell(one);
        if (front_ == events.front().step) break;  // it goes on
    }
}

void InOrder::tell(const Event& event) {
    told_(event);
    if (event.step == front_ && event.ends_step()) ++front_;
}

void InOrder::finish() {
    for (const auto& [step, events] : kept_) {
        for (const Event& event : events) told_(event);
    }
    kept_.clear();
}

}  // namespace bramble::apply
