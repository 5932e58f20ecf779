// Server-sent events: one text, sent once to each of a bounded number of listeners over HTTP. It
// refuses to know what the events say, and to wait for anyone: who does not read is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "config/types/time_point.hpp"

namespace bramble::io {

struct EventStreamLimits {
    std::size_t listeners_max = 16;  // one more is answered 503
    std::size_t backlog_bytes_max =
        256 * 1024;  // not yet sent to a listener; beyond, it is dropped
    Duration heartbeat = std::chrono::seconds(15);  // a comment when nothing happens
    Duration write_timeout = std::chrono::seconds(10);
};

struct EventStreamFigures {
    std::size_t listeners = 0;
    std::uint64_t dropped = 0;  // for not reading
};

// A handle: copies are the same stream. All calls come from the loop's thread.
class EventStream {
public:
    explicit EventStream(EventStreamLimits limits = {});

    // Costs nothing while nobody listens; ask has_listeners() before making the text.
    void publish(std::string_view name, std::string_view data);

    bool has_listeners() const;
    EventStreamFigures figures() const;

    struct State;

    State& state() const { return *state_; }

private:
    std::shared_ptr<State> state_;  // shared with the connections that listen and with responses
};

}  // namespace bramble::io
