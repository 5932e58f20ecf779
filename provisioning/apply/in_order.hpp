// The events of steps that run side by side, told one step after the other, so that two runs of one
// plan read alike. It refuses to know what an event says.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "provisioning/apply/apply.hpp"

namespace bramble::apply {

class InOrder {
public:
    explicit InOrder(std::function<void(const Event&)> told) : told_(std::move(told)) {}

    // Told at once when it is of the first step that has not ended, or of none; else kept.
    void on_event(const Event& event);
    // What is kept: the run is over.
    void finish();

private:
    void tell(const Event& event);

    std::function<void(const Event&)> told_;
    std::size_t front_ = 1;
    std::map<std::size_t, std::deque<Event>> kept_;  // step -> its events
};

}  // namespace bramble::apply
