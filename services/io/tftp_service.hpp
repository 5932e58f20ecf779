// The TFTP data path: worker threads, each with one data socket and one engine, fed from port 69
// by the client's address and port. It refuses to know TFTP: the engine does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"
#include "services/io/catalog.hpp"
#include "services/io/datagram_sender.hpp"
#include "services/io/file_descriptor.hpp"
#include "services/io/loop.hpp"
#include "services/io/udp_socket.hpp"
#include "services/tftp/answer_times.hpp"
#include "services/tftp/engine.hpp"

namespace bramble::io {

struct TftpServiceOptions {
    Ipv4Address address;  // the boards' side; requests and data are bound to it
    std::uint16_t port = tftp::server_port;
    unsigned workers = 0;  // 0: one per core
    tftp::Settings settings;
};

// Sums over all workers, at most a second old.
struct TftpFigures {
    tftp::Counters engine;
    DatagramSender::Counters sender;
    std::size_t open_transfers = 0;
    std::uint64_t requests_dropped = 0;  // a worker's inbox was full: the client asks again
    std::uint64_t events_dropped = 0;
    // From taking datagrams off the data sockets to having sent what they called for.
    tftp::AnswerTimes answer_times;
    std::uint64_t overflowed_requests = 0;  // dropped by the kernel: port 69's buffer was full
    std::uint64_t overflowed_data = 0;      // the same of the data sockets
};

// Board -> bytes that it acknowledged. Bounded by the boards of the catalog.
using TftpProgress = std::unordered_map<std::string, std::uint64_t>;

class TftpWorker;

class TftpService {
public:
    static constexpr unsigned workers_max = 64;

    // Binds; no thread runs yet. `catalog` and `cache` outlive the service. Errors: port 69 taken
    // or not allowed, an address that is not this machine's.
    [[nodiscard]] static Result<std::unique_ptr<TftpService>> open(
        const TftpServiceOptions& options, const Catalog& catalog, ContentCache& cache
    );

    ~TftpService();
    TftpService(const TftpService&) = delete;
    TftpService& operator=(const TftpService&) = delete;

    // `on_events` is called on the loop's thread with what ended since the last call.
    void start(Loop& loop, std::function<void(std::vector<tftp::TransferEvent>)> on_events);

    void drain();  // no new requests from now on; running transfers go on
    TftpFigures figures() const;

    // What each board acknowledged in open transfers since the last call, at most a fifth of a
    // second old. What a transfer had not told when it ended stands in its event.
    TftpProgress take_progress();

    std::uint16_t port() const;  // where requests come in

    // Whether every worker has turned since the last call; ask no more often than every two
    // seconds, an idle worker turns once in one. Loop's thread.
    bool all_turned();

    unsigned workers() const { return static_cast<unsigned>(workers_.size()); }

private:
    TftpService(FileDescriptor door, std::vector<std::unique_ptr<TftpWorker>> workers);

    void hand_out_requests();  // on the first worker's thread
    void take_events();        // on the loop's thread

    FileDescriptor door_;  // port 69
    FileDescriptor events_ready_;
    Watch events_watch_;
    std::function<void(std::vector<tftp::TransferEvent>)> on_events_;
    ReceiveBatch requests_;
    std::atomic<std::uint64_t> requests_dropped_{0};
    std::vector<std::uint64_t> turns_seen_;
    std::vector<std::unique_ptr<TftpWorker>> workers_;  // last: their threads end first
};

}  // namespace bramble::io
