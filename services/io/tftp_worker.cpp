#include "services/io/tftp_worker.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace bramble::io {

using namespace std::chrono_literals;

namespace {

constexpr Duration figures_every = 200ms;
constexpr int idle_timeout_ms = 1000;

}  // namespace

TftpWorker::TftpWorker(
    FileDescriptor data_socket,
    const tftp::Settings& settings,
    const Catalog& catalog,
    ContentCache& cache
)
    : data_socket_(std::move(data_socket)),
      wake_event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      cache_(cache),
      resolver_(
          catalog, cache, [](const std::string& message) { spdlog::error("store: {}", message); }
      ),
      engine_(settings, resolver_),
      batch_(receive_batch, ack_bytes_max),
      inbox_(inbox_max),
      outbox_(outbox_max) {}

TftpWorker::~TftpWorker() {
    stopping_.store(true, std::memory_order_relaxed);
    wake();
    if (thread_.joinable()) thread_.join();
}

void TftpWorker::start(
    Clock clock, int door, std::function<void()> on_door, std::function<void()> wake_main
) {
    clock_ = clock;
    door_ = door;
    on_door_ = std::move(on_door);
    wake_main_ = std::move(wake_main);
    // Signals belong to the main thread's loop.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_setname_np(thread_.native_handle(), "bramble-tftp");
}

bool TftpWorker::deliver(TftpRequest&& request) {
    return inbox_.push(std::move(request));
}

void TftpWorker::wake() {
    ::eventfd_write(wake_event_.get(), 1);
}

TftpFigures TftpWorker::figures() const {
    const std::lock_guard lock(figures_mutex_);
    return figures_;
}

void TftpWorker::take_progress(TftpProgress& into) {
    TftpProgress taken;
    {
        const std::lock_guard lock(figures_mutex_);
        taken.swap(progress_);
    }
    for (const auto& [board, bytes] : taken) into[board] += bytes;
}

void TftpWorker::run() {
    while (!stopping_.load(std::memory_order_relaxed)) turn();
}

int TftpWorker::timeout_ms(TimePoint now) const {
    if (congested_) return 1;
    const auto deadline = engine_.next_deadline();
    if (!deadline) return idle_timeout_ms;
    if (*deadline <= now) return 0;
    // Rounded up: waking a little early would find nothing due and spin.
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now).count();
    return static_cast<int>(std::min<std::int64_t>(wait, idle_timeout_ms));
}

// poll, not epoll: what stands in an epoll is called for every datagram that leaves its socket
// ("there is room again"), which costs more than this call, made once for many datagrams.
bool TftpWorker::wait() {
    if (!door_open_.load(std::memory_order_relaxed)) door_ = -1;
    const short data_events = waiting_for_writable_ ? POLLIN | POLLOUT : POLLIN;
    std::array<pollfd, 3> ready{{
        {data_socket_.get(), data_events, 0},
        {wake_event_.get(), POLLIN, 0},
        {door_, POLLIN, 0},  // none: passed over
    }};
    ::poll(ready.data(), ready.size(), timeout_ms(clock_.now()));
    if ((ready[0].revents & POLLOUT) != 0) waiting_for_writable_ = false;
    if ((ready[1].revents & POLLIN) != 0) {
        eventfd_t ignored = 0;
        ::eventfd_read(wake_event_.get(), &ignored);
    }
    if ((ready[2].revents & POLLIN) != 0) on_door_();
    return (ready[0].revents & (POLLIN | POLLERR)) != 0;
}

void TftpWorker::turn() {
    const bool data_ready = wait();
    congested_ = false;
    const TimePoint now = clock_.now();
    drain_inbox(now);
    if (data_ready) drain_socket();
    if (const auto deadline = engine_.next_deadline(); deadline && *deadline <= now) {
        engine_.on_deadline(now);
    }
    transmit(now);
    note_answered();
    collect_events();
    publish_figures(now);
    turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void TftpWorker::drain_inbox(TimePoint now) {
    while (const auto request = inbox_.pop()) {
        engine_.on_request(request->peer, request->datagram(), now);
    }
}

void TftpWorker::drain_socket() {
    for (std::size_t turn = 0; turn < batches_per_turn; ++turn) {
        const std::size_t count = batch_.receive(data_socket_.get());
        const TimePoint now = clock_.now();
        if (answering_ == 0) answering_since_ = now;
        answering_ += count;
        for (std::size_t i = 0; i < count; ++i) {
            const ReceivedDatagram datagram = batch_.at(i);
            engine_.on_datagram({datagram.source, datagram.source_port}, datagram.bytes, now);
        }
        if (count < batch_.capacity()) return;
        transmit(now);
        note_answered();
    }
}

// One reading of the clock for a batch: each of its datagrams counts with the time of the whole.
// What the socket did not take yet is not answered.
void TftpWorker::note_answered() {
    if (answering_ == 0 || outgoing_first_ < outgoing_end_) return;
    answer_times_.add(clock_.now() - answering_since_, answering_);
    answering_ = 0;
}

// False: the socket takes no more now.
bool TftpWorker::flush() {
    while (outgoing_first_ < outgoing_end_) {
        const auto pending =
            std::span(outgoing_).subspan(outgoing_first_, outgoing_end_ - outgoing_first_);
        const auto progress = sender_.send(data_socket_.get(), pending);
        outgoing_first_ += progress.consumed;
        if (progress.damaged) end_damaged(outgoing_[outgoing_first_ - 1].peer);
        if (progress.state == DatagramSender::State::blocked) {
            waiting_for_writable_ = true;
            return false;
        }
        if (progress.state == DatagramSender::State::congested) {
            congested_ = true;
            return false;
        }
    }
    return true;
}

// Who read it is told so, and nobody gets the mapping again: the next request looks at the file.
void TftpWorker::end_damaged(const tftp::Peer& peer) {
    const auto content = engine_.fail(peer, clock_.now());
    if (content == nullptr) return;
    cache_.forget(*content);
    answers_due_ = true;
}

void TftpWorker::transmit(TimePoint now) {
    bool more = !waiting_for_writable_ && flush();
    while (more) {
        outgoing_first_ = 0;
        outgoing_end_ = engine_.poll_transmit(outgoing_, now);
        more = flush() && (outgoing_end_ == outgoing_.size() || std::exchange(answers_due_, false));
    }
}

void TftpWorker::collect_events() {
    bool any = false;
    while (auto event = engine_.poll_event()) {
        if (outbox_.push(std::move(*event))) {
            any = true;
        } else {
            ++events_dropped_;
        }
    }
    if (any) wake_main_();
}

void TftpWorker::publish_figures(TimePoint now) {
    if (now < figures_due_) return;
    figures_due_ = now + figures_every;
    const std::lock_guard lock(figures_mutex_);
    figures_.engine = engine_.counters();
    figures_.sender = sender_.counters();
    figures_.open_transfers = engine_.open_transfers();
    figures_.events_dropped = events_dropped_;
    figures_.answer_times = answer_times_;
    figures_.overflowed_data = overflowed_datagrams(data_socket_.get());
    engine_.report_progress([this](const std::string& board, std::uint64_t bytes) {
        if (!board.empty()) progress_[board] += bytes;
    });
}

}  // namespace bramble::io
