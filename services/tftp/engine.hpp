// All transfers of one worker: datagrams in, datagrams out, events and counters beside them (the
// design's data path). It refuses to know sockets, threads, disks and which board may have what.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "services/tftp/clients.hpp"
#include "services/tftp/ring.hpp"
#include "services/tftp/slot_table.hpp"
#include "services/tftp/timer_wheel.hpp"
#include "services/tftp/transfer.hpp"

namespace bramble::tftp {

// ---- the seam to the files --------------------------------------------------------------------

struct File {
    std::shared_ptr<const Content> content;  // never null
    std::string board;                       // name, for the event; empty: not known
    std::string path;                        // as it stands in the board's tree, prefix taken off
    std::uint64_t generation = 0;
};

struct NotFound {
    std::string board;
    std::string path;
};

struct Refused {
    std::string board;
    std::string path;
    std::string reason;  // "the prefix of another board": for the event. The wire says "not found"
};

using Resolution = std::variant<File, NotFound, Refused>;

// Called once for each RRQ that is not a repetition, never for a datagram of a running transfer.
// `path` is the text of the request: hostile until resolved (services/tftp/resolve.hpp).
class Resolver {
public:
    virtual ~Resolver() = default;
    virtual Resolution resolve(const Peer& peer, std::string_view path, TimePoint now) = 0;
};

// ---- what the shell learns --------------------------------------------------------------------

struct TransferEvent {
    Peer peer;
    std::string board;  // empty: not known
    std::string path;   // as the resolver named it; as asked where no resolver was called
    Outcome outcome = Outcome::complete;
    std::string reason;              // of `refused`, and of `aborted` by us
    std::uint64_t generation = 0;    // 0: none served
    std::uint64_t file_bytes = 0;    // 0 where there was no file
    std::uint64_t bytes = 0;         // acknowledged
    std::uint64_t bytes_untold = 0;  // of them, that report_progress() has not told
    std::uint64_t blocks_sent = 0;   // retransmitted ones too
    std::uint64_t retransmissions = 0;
    std::uint16_t blksize = 0;
    std::uint16_t windowsize = 0;
    TimePoint started{};
    TimePoint ended{};

    Duration duration() const { return ended - started; }
};

// Every datagram in ends in exactly one of the `in_*` fields.
struct Counters {
    std::uint64_t in_requests = 0;           // RRQs that were answered or began a transfer
    std::uint64_t in_repeated_requests = 0;  // the same RRQ from the same peer
    std::uint64_t in_write_requests = 0;
    std::uint64_t in_acks = 0;
    std::uint64_t in_errors = 0;            // of a known transfer
    std::uint64_t in_unknown_transfer = 0;  // ACK, DATA or ERROR of no known transfer (T12)
    std::uint64_t in_unexpected = 0;        // DATA, OACK, or anything on the wrong port (T8)
    std::uint64_t in_malformed = 0;         // (T1, T2, T5)
    std::uint64_t in_well_known_port = 0;   // from a port below 1024: a loop in the making (T10)
    std::uint64_t in_over_rate = 0;         // more requests than a source may send (rule 9)
    std::uint64_t in_over_capacity = 0;     // RRQs beyond a source's or all transfers' number
    std::uint64_t out_datagrams = 0;
    std::uint64_t out_data_blocks = 0;
    std::uint64_t out_data_bytes = 0;  // payload
    std::uint64_t out_errors = 0;
    std::uint64_t retransmissions = 0;
    std::uint64_t duplicate_acks = 0;
    std::uint64_t replies_dropped = 0;  // more short answers were due than replies_max
    std::uint64_t events_dropped = 0;   // nobody polled
    std::uint64_t transfers_started = 0;
    std::uint64_t bytes_acknowledged = 0;
    std::array<std::uint64_t, 8> ended{};  // by Outcome

    std::uint64_t ended_as(Outcome outcome) const {
        return ended[static_cast<std::size_t>(outcome)];
    }
};

struct Settings {
    OptionLimits options;
    TransferLimits transfer;
    ClientLimits clients;
    std::size_t transfers_max = 10'000;
    std::size_t replies_max = 1024;             // short answers (ERROR) waiting to be sent
    std::size_t events_max = 65'536;            // events that nobody polled yet
    unsigned unknown_transfer_per_second = 50;  // ERROR 5 at the most
};

// ---- the engine -------------------------------------------------------------------------------

class Engine {
public:
    // `resolver` outlives the engine.
    Engine(const Settings& settings, Resolver& resolver);

    // A datagram that came to port 69.
    void on_request(const Peer& peer, std::span<const std::byte> datagram, TimePoint now);

    // A datagram that came to the data socket, whose port is the server's transfer identifier.
    void on_datagram(const Peer& peer, std::span<const std::byte> datagram, TimePoint now);

    // The peer's file cannot be read any more: its transfer ends with ERROR 0. Gives the content
    // that failed, nothing when the peer has no transfer.
    std::shared_ptr<const Content> fail(const Peer& peer, TimePoint now);

    // Fills `out` from its beginning and gives the number filled; call until it gives less than
    // out.size(). Blocks of one window stand beside each other with one peer. Everything is sent
    // from the data socket. Payload slices stay alive until the next call of poll_transmit.
    std::size_t poll_transmit(std::span<Outgoing> out, TimePoint now);

    void on_deadline(TimePoint now);

    // The earliest instant at which on_deadline may have something to do; it may come early.
    std::optional<TimePoint> next_deadline() const { return wheel_.next(); }

    std::optional<TransferEvent> poll_event();

    std::size_t open_transfers() const { return by_peer_.size(); }

    // Calls report(board, bytes) for each open transfer that was acknowledged more since the last
    // call. It looks at every transfer: for a few times a second, never for each datagram.
    template <typename Report>
    void report_progress(Report report) {
        for (Session& session : sessions_) {
            if (!session.transfer) continue;
            const std::uint64_t bytes = session.transfer->stats().bytes_acknowledged;
            if (bytes == session.bytes_told) continue;
            report(session.board, bytes - session.bytes_told);
            session.bytes_told = bytes;
        }
    }

    const Counters& counters() const { return counters_; }

    // Limits of what comes from now on; terms that were granted stay.
    void set_settings(const Settings& settings);

private:
    struct Session {
        Peer peer;
        std::uint64_t request_key = 0;  // of the RRQ's octets: the same again is a repetition
        std::string board;
        std::string path;
        std::uint64_t generation = 0;
        std::uint64_t bytes_told = 0;      // to report_progress()
        std::optional<Transfer> transfer;  // none: the slot is free
        bool queued = false;               // stands in ready_
    };

    // A short answer without a transfer; the text is a constant of the program, with its NUL.
    struct Reply {
        Peer peer;
        ErrorCode code = ErrorCode::not_defined;
        std::string_view text;
    };

    // A request that was let in, as far as it is known.
    struct Asked {
        Peer peer;
        std::uint64_t key = 0;
        Terms terms;
        std::string_view path;
    };

    void on_read_request(const Asked& asked, TimePoint now);
    bool is_repetition(Slot slot, std::uint64_t key, TimePoint now);
    void on_packet(Slot slot, const Packet& packet, TimePoint now);
    void start(const Asked& asked, File file, TimePoint now);
    void end(Slot slot, Outcome outcome, TimePoint now, std::string reason = {});
    void turn_away(const Peer& peer, TransferEvent event, TimePoint now);
    void reply(const Peer& peer, ErrorCode code, std::string_view text);
    void settle(Slot slot, TimePoint now);  // after anything that may have changed a transfer
    bool make_room(const Peer& peer, TimePoint now);
    void add_event(TransferEvent event);
    Slot find(const Peer& peer) const;
    Slot claim_slot();

    Settings settings_;
    Resolver& resolver_;
    std::vector<Session> sessions_;
    std::vector<Slot> free_;
    SlotTable by_peer_;
    Clients clients_;
    TimerWheel wheel_;
    TokenBucket unknown_transfer_;  // answers to datagrams of no transfer, for all sources together
    Ring<Slot> ready_;              // sessions with something to send
    Ring<Reply> replies_;
    Ring<TransferEvent> events_;
    std::vector<std::shared_ptr<const Content>> retired_;  // of ended transfers, see poll_transmit
    Counters counters_;
};

}  // namespace bramble::tftp
