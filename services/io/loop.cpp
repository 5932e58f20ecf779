#include "services/io/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "services/io/loop_impl.hpp"

namespace bramble::io {

namespace asio = boost::asio;

struct Watch::State {
    State(asio::io_context& context, int fd, std::function<void()> ready)
        : descriptor(context, fd), on_ready(std::move(ready)) {}

    asio::posix::stream_descriptor descriptor;
    std::function<void()> on_ready;
    bool watching = true;
};

struct Timer::State {
    State(asio::io_context& context, const Clock& time, std::function<void()> expiry)
        : timer(context), clock(time), on_expiry(std::move(expiry)) {}

    asio::steady_timer timer;
    const Clock& clock;
    std::function<void()> on_expiry;
    // Counts settings: a wait that had already expired when it was cancelled must not call back.
    unsigned setting = 0;
};

namespace {

void wait_readable(const std::shared_ptr<Watch::State>& state) {
    state->descriptor.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [state](const boost::system::error_code& error) {
            if (error || !state->watching) return;
            state->on_ready();
            if (state->watching) wait_readable(state);
        }
    );
}

void wait_signal(Loop::Impl& impl) {
    impl.signals->async_wait([&impl](const boost::system::error_code& error, int number) {
        if (error) return;
        impl.on_signal(number);
        wait_signal(impl);
    });
}

void end(const std::shared_ptr<Watch::State>& state) {
    if (!state) return;
    state->watching = false;
    state->descriptor.release();  // the descriptor is not ours to close
}

void end(const std::shared_ptr<Timer::State>& state) {
    if (!state) return;
    ++state->setting;
    state->timer.cancel();
}

}  // namespace

Watch::Watch(std::shared_ptr<State> state) : state_(std::move(state)) {}

Watch::~Watch() {
    end(state_);
}

Watch& Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        end(state_);
        state_ = std::move(other.state_);
    }
    return *this;
}

Timer::Timer(std::shared_ptr<State> state) : state_(std::move(state)) {}

Timer::~Timer() {
    end(state_);
}

Timer& Timer::operator=(Timer&& other) noexcept {
    if (this != &other) {
        end(state_);
        state_ = std::move(other.state_);
    }
    return *this;
}

void Timer::expire_at(TimePoint at) {
    const unsigned setting = ++state_->setting;
    state_->timer.expires_at(state_->clock.to_steady(at));
    state_->timer.async_wait([state = state_, setting](const boost::system::error_code& error) {
        if (!error && state->setting == setting) state->on_expiry();
    });
}

void Timer::cancel() {
    end(state_);
}

Loop::Loop(Clock clock) : clock_(clock), impl_(std::make_unique<Impl>()) {}

Loop::~Loop() = default;

void Loop::run() {
    const auto work = asio::make_work_guard(impl_->context);
    impl_->context.run();
}

void Loop::stop() {
    impl_->context.stop();
}

void Loop::post(std::function<void()> call) {
    asio::post(impl_->context, std::move(call));
}

Watch Loop::watch_readable(int fd, std::function<void()> on_ready) {
    auto state = std::make_shared<Watch::State>(impl_->context, fd, std::move(on_ready));
    wait_readable(state);
    return Watch(std::move(state));
}

Timer Loop::make_timer(std::function<void()> on_expiry) {
    return Timer(std::make_shared<Timer::State>(impl_->context, clock_, std::move(on_expiry)));
}

void Loop::on_signals(const std::vector<int>& numbers, std::function<void(int)> on_signal) {
    impl_->signals.emplace(impl_->context);
    for (const int number : numbers) impl_->signals->add(number);
    impl_->on_signal = std::move(on_signal);
    wait_signal(*impl_);
}

}  // namespace bramble::io
