// One TFTP worker: its data socket, its engine and the thread that carries bytes between them. It
// refuses to share anything with the other workers but its inbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "services/io/bounded_queue.hpp"
#include "services/io/catalog.hpp"
#include "services/io/clock.hpp"
#include "services/io/datagram_sender.hpp"
#include "services/io/file_descriptor.hpp"
#include "services/io/tftp_service.hpp"
#include "services/io/udp_socket.hpp"
#include "services/tftp/engine.hpp"

namespace bramble::io {

// A request on its way from port 69 to its worker.
struct TftpRequest {
    static constexpr std::size_t bytes_max = tftp::request_bytes_max + 1;  // one more shows excess

    tftp::Peer peer;
    std::uint16_t size = 0;
    std::array<std::byte, bytes_max> bytes;

    std::span<const std::byte> datagram() const { return std::span(bytes).first(size); }
};

class TftpWorker {
public:
    static constexpr std::size_t inbox_max = 1024;
    static constexpr std::size_t outbox_max = 8192;  // events that the main thread has not taken

    TftpWorker(
        FileDescriptor data_socket,
        const tftp::Settings& settings,
        const Catalog& catalog,
        ContentCache& cache
    );
    ~TftpWorker();  // asks the thread to end and waits for it
    TftpWorker(const TftpWorker&) = delete;
    TftpWorker& operator=(const TftpWorker&) = delete;

    // `on_door` is called on the worker's thread while `door` is readable (-1: this worker has no
    // door); `wake_main` when there are events to take.
    void start(
        Clock clock, int door, std::function<void()> on_door, std::function<void()> wake_main
    );

    // From the thread of the door only. False: the inbox is full.
    bool deliver(TftpRequest&& request);
    void wake();  // after delivering

    // Main thread only.
    std::optional<tftp::TransferEvent> poll_event() { return outbox_.pop(); }

    // Any thread: the door is not looked at any more.
    void close_door() {
        door_open_.store(false, std::memory_order_relaxed);
        wake();
    }

    TftpFigures figures() const;

    // Adds what each board acknowledged since the last call. Main thread only.
    void take_progress(TftpProgress& into);

    // Any thread: grows at least once a second as long as the worker turns.
    std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }

private:
    void run();
    void turn();
    bool wait();  // true: the data socket has something
    int timeout_ms(TimePoint now) const;
    void drain_inbox(TimePoint now);
    void drain_socket();
    void transmit(TimePoint now);
    bool flush();
    void end_damaged(const tftp::Peer& peer);
    void collect_events();
    void publish_figures(TimePoint now);
    void note_answered();

    static constexpr std::size_t receive_batch = 64;
    static constexpr std::size_t batches_per_turn = 4;  // then others get their turn
    static constexpr std::size_t ack_bytes_max = 576;   // an ACK has 4, an ERROR some more

    FileDescriptor data_socket_;
    FileDescriptor wake_event_;
    ContentCache& cache_;
    CatalogResolver resolver_;
    tftp::Engine engine_;
    DatagramSender sender_;
    ReceiveBatch batch_;
    BoundedQueue<TftpRequest> inbox_;
    BoundedQueue<tftp::TransferEvent> outbox_;
    Clock clock_;
    int door_ = -1;
    std::function<void()> on_door_;
    std::function<void()> wake_main_;

    std::array<tftp::Outgoing, DatagramSender::batch_max> outgoing_;
    std::size_t outgoing_first_ = 0;  // what the socket has not taken yet: [first, end)
    std::size_t outgoing_end_ = 0;
    bool waiting_for_writable_ = false;
    bool congested_ = false;
    bool answers_due_ = false;  // the engine has an ERROR for whoever's file broke while sending

    std::atomic<bool> stopping_{false};
    std::atomic<bool> door_open_{true};
    std::atomic<std::uint64_t> turns_{0};  // written by the worker alone
    std::uint64_t events_dropped_ = 0;
    tftp::AnswerTimes answer_times_;
    TimePoint answering_since_{};  // the first of what is not answered yet was taken then
    std::size_t answering_ = 0;
    TimePoint figures_due_{};
    mutable std::mutex figures_mutex_;  // taken a few times a second, never per packet
    TftpFigures figures_;
    TftpProgress progress_;  // with the figures, under their mutex
    std::thread thread_;
};

}  // namespace bramble::io
