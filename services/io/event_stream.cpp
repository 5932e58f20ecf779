#include "services/io/event_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "services/io/event_stream_impl.hpp"

namespace bramble::io {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

using Listener = EventStream::State::Listener;
using ListenerPtr = std::shared_ptr<Listener>;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr int send_buffer_bytes = 64 * 1024;  // what a client does not read waits with us, counted

// HTML Living Standard §9.2.5: a data line for each line, an empty line ends the event.
std::string as_event(std::string_view name, std::string_view data) {
    std::string out = "event: ";
    out.append(name).append("\n");
    for (;;) {
        const auto end = data.find('\n');
        out.append("data: ").append(data.substr(0, end)).append("\n");
        if (end == std::string_view::npos) break;
        data.remove_prefix(end + 1);
    }
    return out + "\n";
}

// Ends the wait and the write in flight.
void dismiss(Listener& listener) {
    listener.gone = true;
    listener.backlog.clear();
    listener.backlog_bytes = 0;
    listener.wake.cancel();
    beast::error_code ignored;
    listener.stream.socket().close(ignored);
}

// A listener says nothing after its request: whatever can be read is its end.
void watch_for_end(const ListenerPtr& listener) {
    listener->stream.socket().async_wait(
        asio::ip::tcp::socket::wait_read,
        [weak = std::weak_ptr(listener)](const beast::error_code& error) {
            const ListenerPtr ended = weak.lock();
            if (ended && error != asio::error::operation_aborted) dismiss(*ended);
        }
    );
}

std::string take_backlog(Listener& listener) {
    std::string out;
    out.reserve(listener.backlog_bytes);
    for (const auto& event : listener.backlog) out += *event;
    listener.backlog.clear();
    listener.backlog_bytes = 0;
    return out;
}

// One of the stream's listeners for as long as this lives, also when a loop ends in mid-wait.
class Listening {
public:
    Listening(EventStream events, ListenerPtr listener)
        : events_(std::move(events)), listener_(std::move(listener)) {
        events_.state().listeners.push_back(listener_);
    }

    ~Listening() { events_.state().listeners.remove(listener_); }

    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

private:
    EventStream events_;
    ListenerPtr listener_;
};

asio::awaitable<void> send_until_gone(EventStream::State& state, ListenerPtr listener) {
    std::string text = ": listening\n\n";
    while (!listener->gone) {
        listener->stream.expires_after(state.limits.write_timeout);
        const auto [write_error, written] =
            co_await asio::async_write(listener->stream, asio::buffer(text), as_result);
        if (write_error == beast::error::timeout) ++state.dropped;
        if (write_error || listener->gone) co_return;
        if (listener->backlog.empty()) {
            listener->wake.expires_after(state.limits.heartbeat);
            co_await listener->wake.async_wait(as_result);
        }
        text = listener->backlog.empty() ? ": alive\n\n" : take_backlog(*listener);
    }
}

}  // namespace

EventStream::EventStream(EventStreamLimits limits) : state_(std::make_shared<State>(limits)) {}

void EventStream::publish(std::string_view name, std::string_view data) {
    if (state_->listeners.empty()) return;
    const auto event = std::make_shared<const std::string>(as_event(name, data));
    for (const ListenerPtr& listener : state_->listeners) {
        if (listener->gone) continue;
        if (listener->backlog_bytes + event->size() > state_->limits.backlog_bytes_max) {
            ++state_->dropped;
            dismiss(*listener);
            continue;
        }
        listener->backlog.push_back(event);
        listener->backlog_bytes += event->size();
        listener->wake.cancel();
    }
}

bool EventStream::has_listeners() const {
    return !state_->listeners.empty();
}

EventStreamFigures EventStream::figures() const {
    return {state_->listeners.size(), state_->dropped};
}

asio::awaitable<void> send_events(EventStream events, beast::tcp_stream& stream) {
    const auto listener = std::make_shared<Listener>(stream);
    beast::error_code ignored;
    stream.socket().set_option(asio::socket_base::send_buffer_size(send_buffer_bytes), ignored);
    const Listening listening(events, listener);
    watch_for_end(listener);
    co_await send_until_gone(events.state(), listener);
}

}  // namespace bramble::io
