#include "services/io/tftp_service.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "services/io/tftp_worker.hpp"

namespace bramble::io {
namespace {

// A fleet in lock-step answers within one round trip: its acknowledgements arrive together.
constexpr int data_buffer_bytes = 4 * 1024 * 1024;
constexpr int door_buffer_bytes = 1024 * 1024;
constexpr std::size_t requests_at_once = 32;

unsigned worker_count(unsigned wanted) {
    const unsigned count = wanted != 0 ? wanted : std::thread::hardware_concurrency();
    return std::clamp(count, 1U, TftpService::workers_max);
}

// The same board always meets the same worker: a repeated request must find its transfer. Boards of
// a fleet have addresses in a row, which shares them out evenly; a hash would give one worker of
// two an eighth more than the other.
std::size_t worker_of(const tftp::Peer& peer, std::size_t workers) {
    return peer.address.value() % workers;
}

void add(TftpFigures& sum, const TftpFigures& part) {
    tftp::Counters& a = sum.engine;
    const tftp::Counters& b = part.engine;
    a.in_requests += b.in_requests;
    a.in_repeated_requests += b.in_repeated_requests;
    a.in_write_requests += b.in_write_requests;
    a.in_acks += b.in_acks;
    a.in_errors += b.in_errors;
    a.in_unknown_transfer += b.in_unknown_transfer;
    a.in_unexpected += b.in_unexpected;
    a.in_malformed += b.in_malformed;
    a.in_well_known_port += b.in_well_known_port;
    a.in_over_rate += b.in_over_rate;
    a.in_over_capacity += b.in_over_capacity;
    a.out_datagrams += b.out_datagrams;
    a.out_data_blocks += b.out_data_blocks;
    a.out_data_bytes += b.out_data_bytes;
    a.out_errors += b.out_errors;
    a.retransmissions += b.retransmissions;
    a.duplicate_acks += b.duplicate_acks;
    a.replies_dropped += b.replies_dropped;
    a.events_dropped += b.events_dropped;
    a.transfers_started += b.transfers_started;
    a.bytes_acknowledged += b.bytes_acknowledged;
    for (std::size_t i = 0; i < a.ended.size(); ++i) a.ended[i] += b.ended[i];
    sum.sender.system_calls += part.sender.system_calls;
    sum.sender.segmented += part.sender.segmented;
    sum.sender.refused += part.sender.refused;
    sum.sender.blocked += part.sender.blocked;
    sum.sender.congested += part.sender.congested;
    sum.open_transfers += part.open_transfers;
    sum.events_dropped += part.events_dropped;
    sum.answer_times.add(part.answer_times);
    sum.overflowed_data += part.overflowed_data;
}

}  // namespace

TftpService::TftpService(FileDescriptor door, std::vector<std::unique_ptr<TftpWorker>> workers)
    : door_(std::move(door)),
      events_ready_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      requests_(requests_at_once, TftpRequest::bytes_max),
      workers_(std::move(workers)) {}

TftpService::~TftpService() = default;

Result<std::unique_ptr<TftpService>> TftpService::open(
    const TftpServiceOptions& options, const Catalog& catalog, ContentCache& cache
) {
    UdpSocketOptions door_options;
    door_options.address = options.address;
    door_options.port = options.port;
    door_options.receive_buffer_bytes = door_buffer_bytes;
    auto door = open_udp_socket(door_options);
    if (!door) return tl::unexpected(door.error());

    std::vector<std::unique_ptr<TftpWorker>> workers;
    for (unsigned i = 0; i < worker_count(options.workers); ++i) {
        UdpSocketOptions data_options;
        data_options.address = options.address;
        data_options.receive_buffer_bytes = data_buffer_bytes;
        data_options.send_buffer_bytes = data_buffer_bytes;
        auto data = open_udp_socket(data_options);
        if (!data) return tl::unexpected(data.error());
        workers.push_back(
            std::make_unique<TftpWorker>(std::move(*data), options.settings, catalog, cache)
        );
    }
    return std::unique_ptr<TftpService>(new TftpService(std::move(*door), std::move(workers)));
}

void TftpService::start(
    Loop& loop, std::function<void(std::vector<tftp::TransferEvent>)> on_events
) {
    on_events_ = std::move(on_events);
    events_watch_ = loop.watch_readable(events_ready_.get(), [this] { take_events(); });
    const auto wake_main = [this] { ::eventfd_write(events_ready_.get(), 1); };
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        const bool has_door = i == 0;
        workers_[i]->start(
            loop.clock(),
            has_door ? door_.get() : -1,
            has_door ? std::function<void()>([this] { hand_out_requests(); }) : nullptr,
            wake_main
        );
    }
}

void TftpService::hand_out_requests() {
    const std::size_t count = requests_.receive(door_.get());
    for (std::size_t i = 0; i < count; ++i) {
        const ReceivedDatagram datagram = requests_.at(i);
        TftpRequest request;
        request.peer = {datagram.source, datagram.source_port};
        request.size = static_cast<std::uint16_t>(datagram.bytes.size());
        std::copy(datagram.bytes.begin(), datagram.bytes.end(), request.bytes.begin());
        TftpWorker& worker = *workers_[worker_of(request.peer, workers_.size())];
        if (!worker.deliver(std::move(request))) {
            requests_dropped_.fetch_add(1, std::memory_order_relaxed);
        }
        worker.wake();
    }
}

void TftpService::take_events() {
    eventfd_t ignored = 0;
    ::eventfd_read(events_ready_.get(), &ignored);
    std::vector<tftp::TransferEvent> events;
    for (const auto& worker : workers_) {
        while (auto event = worker->poll_event()) events.push_back(std::move(*event));
    }
    if (!events.empty()) on_events_(std::move(events));
}

void TftpService::drain() {
    workers_.front()->close_door();
}

TftpFigures TftpService::figures() const {
    TftpFigures sum;
    for (const auto& worker : workers_) add(sum, worker->figures());
    sum.requests_dropped = requests_dropped_.load(std::memory_order_relaxed);
    sum.overflowed_requests = overflowed_datagrams(door_.get());
    return sum;
}

bool TftpService::all_turned() {
    turns_seen_.resize(workers_.size(), 0);
    bool all = true;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        const std::uint64_t turns = workers_[i]->turns();
        all = all && turns != turns_seen_[i];
        turns_seen_[i] = turns;
    }
    return all;
}

TftpProgress TftpService::take_progress() {
    TftpProgress sum;
    for (const auto& worker : workers_) worker->take_progress(sum);
    return sum;
}

std::uint16_t TftpService::port() const {
    return local_port(door_.get());
}

}  // namespace bramble::io
