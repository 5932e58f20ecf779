// What an event stream is made of, for the HTTP listener. It refuses to be included from any other
// folder.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <deque>
#include <list>
#include <memory>
#include <string>

#include "services/io/event_stream.hpp"

namespace bramble::io {

struct EventStream::State {
    struct Listener {
        explicit Listener(boost::beast::tcp_stream& to) : stream(to), wake(to.get_executor()) {}

        boost::beast::tcp_stream& stream;
        boost::asio::steady_timer wake;  // cancelled when there is something to do
        std::deque<std::shared_ptr<const std::string>> backlog;  // shared by all who wait for it
        std::size_t backlog_bytes = 0;
        bool gone = false;
    };

    explicit State(EventStreamLimits bounds) : limits(bounds) {}

    EventStreamLimits limits;
    std::list<std::shared_ptr<Listener>> listeners;
    std::uint64_t dropped = 0;
};

// Sends what is published to one client whose header was written, until it goes away or is dropped.
boost::asio::awaitable<void> send_events(EventStream events, boost::beast::tcp_stream& stream);

}  // namespace bramble::io
