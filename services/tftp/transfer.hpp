// One read transfer: OACK, DATA in windows, acknowledgements, retransmission, end (RFC 1350 §2 and
// §6, 2347, 7440). It refuses to know sockets, other transfers, and where its bytes came from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/types/time_point.hpp"
#include "services/tftp/options.hpp"
#include "services/tftp/packet.hpp"
#include "services/tftp/round_trip.hpp"

namespace bramble::tftp {

// The bytes of a file. Shared by every transfer of that file and by the resolver's own catalog: the
// last one lets go of the mapping.
struct Content {
    std::span<const std::byte> bytes;
};

// A datagram on its way out: the header by value, the payload as a slice of Content (or of a
// constant text), so that nothing is copied in user space.
struct Outgoing {
    static constexpr std::size_t header_max = oack_bytes_max;

    Peer peer;
    std::uint16_t header_size = 0;
    bool peer_is_there = false;  // it answers what this peer has just acknowledged
    std::array<std::byte, header_max> header;
    std::span<const std::byte> payload;

    std::span<const std::byte> head() const { return {header.data(), header_size}; }

    std::size_t size() const { return header_size + payload.size(); }
};

enum class Outcome {
    complete,
    complete_unacknowledged,  // all was sent; the last ACK never came (boards do not repair it)
    probe,                    // the client wanted to know that the file is there, and its size
    aborted,    // an ERROR from the client in mid-transfer, or code 8; or its file broke
    timed_out,  // silence
    missing,    // answered with error 1; no transfer came to be
    refused,    // answered with error 0, 2 or 4; no transfer came to be
    replaced,   // the same peer began another transfer
};

std::string_view to_string(Outcome outcome);

struct TransferLimits {
    RetransmitLimits retransmit;
    unsigned retries_max = 10;           // in a row, in mid-transfer: 39 s at 1, 2, 4, … 4 s
    unsigned handshake_retries_max = 3;  // before the first acknowledgement: bounds reflection
    unsigned final_retries_max = 4;      // of the last window: the client may be gone for good

    friend bool operator==(const TransferLimits&, const TransferLimits&) = default;
};

struct TransferStats {
    std::uint64_t bytes_acknowledged = 0;
    std::uint64_t blocks_sent = 0;  // DATA datagrams, retransmitted ones too
    std::uint64_t retransmissions = 0;
    std::uint64_t duplicate_acks = 0;
    std::uint64_t ignored_acks = 0;  // of blocks that were not sent, or before the OACK's own
    TimePoint started{};
};

class Transfer {
public:
    // `content` must not be null. Nothing is sent before poll_transmit.
    Transfer(std::shared_ptr<const Content> content, const Terms& terms, TimePoint now);

    void on_ack(BlockNumber block, TimePoint now);
    void on_error(std::uint16_t code);
    void on_deadline(TimePoint now, const TransferLimits& limits);

    // The client asked again for the same: answers once more if the last answer is older than a
    // second and nothing was acknowledged yet, otherwise does nothing.
    void on_repeated_request(TimePoint now, const TransferLimits& limits);

    // Writes the next datagram's header and payload; false: nothing to send now. Does not set
    // out.peer.
    bool poll_transmit(Outgoing& out, TimePoint now, const TransferLimits& limits);

    bool wants_to_transmit() const;

    // When on_deadline is due. Meaningful once something was sent; moves with every datagram.
    TimePoint deadline() const { return deadline_; }

    std::optional<Outcome> outcome() const { return outcome_; }

    bool finished() const { return outcome_.has_value(); }

    bool heard() const { return heard_; }  // whether the client ever acknowledged anything

    // What the end would be called if the client turned to something else now.
    Outcome outcome_if_left() const;

    TimePoint last_heard() const { return last_heard_; }

    const Terms& terms() const { return terms_; }

    const TransferStats& stats() const { return stats_; }

    const std::shared_ptr<const Content>& content() const { return content_; }

private:
    std::uint64_t window_end() const;

    bool all_was_sent() const { return sent_max_ == blocks_total_; }

    void arm(TimePoint now, const TransferLimits& limits);
    void send_again();

    std::shared_ptr<const Content> content_;
    Terms terms_;
    std::uint64_t blocks_total_;  // the short or empty last one too
    std::optional<Outcome> outcome_;
    bool awaiting_oack_ack_;  // the OACK is out, or about to go out; ACK 0 has not come
    bool oack_due_;
    bool heard_ = false;
    bool window_measurable_ = true;   // no block of the window was sent twice (Karn's rule)
    std::uint8_t attempt_ = 0;        // retransmissions in a row
    std::uint64_t acknowledged_ = 0;  // blocks
    std::uint64_t next_ = 0;          // the next block to send, counted from 0
    std::uint64_t sent_max_ = 0;      // blocks ever sent
    TimePoint last_sent_{};
    TimePoint last_heard_{};
    TimePoint deadline_ = TimePoint::max();
    RoundTrip round_trip_;
    TransferStats stats_;
};

}  // namespace bramble::tftp
