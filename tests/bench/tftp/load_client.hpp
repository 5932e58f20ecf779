// One lock-step TFTP client as boards' firmware is: a file after another, an ACK for each block or
// window, silence when a DATA is lost. It refuses to know sockets; it counts what a benchmark
// reports.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "config/types/time_point.hpp"
#include "tests/bench/tftp/packet_port.hpp"

namespace bramble::bench {

struct LoadPlan {
    Ipv4Address server;
    std::vector<std::string>
        files;  // fetched in this order by every client; "{n}" becomes the station's number in hex
    std::uint16_t blksize = 1468;
    std::uint16_t windowsize = 1;
    Duration rrq_retry = std::chrono::seconds(2);  // fact sheet 2.2
    unsigned rrq_retries_max = 15;                 // 30 s per file
};

struct LoadCounters {
    std::uint64_t blocks = 0;  // DATA taken in order
    std::uint64_t bytes = 0;
    std::uint64_t rrq_retries = 0;
    std::uint64_t duplicate_data = 0;  // a DATA that this client already had
    std::uint64_t needless_data = 0;   // of these: though its ACK had reached the server
    std::uint64_t errors = 0;
    std::vector<float> file_seconds;   // of each finished file
    std::vector<float> round_trip_us;  // ACK -> next DATA, one of every 64
};

class LoadClient {
public:
    // Sends `payload` from this client's current port to the server's `port`. False: the link lost
    // it, which only the bookkeeping of needless retransmissions looks at.
    using Send = std::function<
        bool(std::uint16_t from_port, std::uint16_t to_port, std::span<const std::byte> payload)>;

    LoadClient(
        const LoadPlan& plan, std::size_t station, std::uint16_t first_port, LoadCounters& counters
    );

    void start(TimePoint now, const Send& send);
    void on_datagram(const UdpIn& in, TimePoint now, const Send& send);
    void on_tick(TimePoint now, const Send& send);

    bool finished() const { return state_ == State::done; }

    bool failed() const { return state_ == State::failed; }

    TimePoint finished_at() const { return finished_at_; }

    static constexpr std::uint16_t ports = 32;  // a new source port for each file, round and round

private:
    enum class State { idle, requested, receiving, done, failed };

    void request(TimePoint now, const Send& send);
    void acknowledge(std::uint16_t block, const Send& send);
    void on_data(const UdpIn& in, TimePoint now, const Send& send);
    void on_other_block(std::uint16_t block, const Send& send);
    void next_file(TimePoint now, const Send& send);

    std::uint16_t port() const {
        return static_cast<std::uint16_t>(first_port_ + sequence_ % ports);
    }

    const LoadPlan* plan_;
    LoadCounters* counters_;
    std::size_t station_;
    std::uint16_t first_port_;
    State state_ = State::idle;
    std::size_t file_ = 0;
    std::uint16_t sequence_ = 0;
    std::uint16_t server_port_ = 0;
    std::uint16_t expected_ = 1;
    std::uint16_t in_window_ = 0;
    bool ack_arrived_ = false;  // the last one that was sent
    unsigned retries_ = 0;
    std::uint16_t blksize_ = 512;
    std::uint16_t windowsize_ = 1;
    std::uint64_t expected_bytes_ = 0;
    std::uint64_t received_bytes_ = 0;
    TimePoint file_started_;
    TimePoint last_sent_;
    TimePoint last_heard_;
    TimePoint finished_at_;
};

}  // namespace bramble::bench
