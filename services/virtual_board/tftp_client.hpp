// One file request of a board: RRQ, OACK or DATA, lock-step to the last short block; or a probe
// that ends with "Early terminate" (fact sheet 10.2, step 7). It refuses to know why a file is
// wanted.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "config/types/digest.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/time_point.hpp"
#include "services/virtual_board/board.hpp"
#include "services/virtual_board/tftp_wire.hpp"

namespace bramble::virtual_board {

struct TransferRequest {
    std::string path;
    bool probe = false;
    RrqOptions options;
    bool keep_content = false;  // of files up to Transfer::content_bytes_max
    bool acknowledges_duplicates = true;
    bool rolls_over = false;
    bool hangs_on_duplicate = false;
    Duration think{};  // before each ACK
    Duration resend = std::chrono::seconds(2);
    Duration file_timeout = std::chrono::seconds(30);  // from the first request to the last block
    bool digest = true;                                // false: FileResult::digest stays empty
};

enum class FileStatus {
    missing,  // ERROR from the server
    found,    // a probe was answered
    complete,
    timed_out,
    bad_oack,
    size_mismatch,
    too_large,  // past block 65535
    hung,       // F#1631
};

struct FileResult {
    FileStatus status = FileStatus::missing;
    std::uint64_t size = 0;  // of a complete file; of a probed one when tsize was answered
    Digest digest;
    std::string content;
    bool oack = false;  // whether blksize was acknowledged, as far as it was asked for
};

class Transfer {
public:
    static constexpr std::size_t content_bytes_max = 1U << 20U;

    struct Out {
        std::uint16_t destination_port;
        std::vector<std::byte> bytes;
    };

    // `counters` and `observer` (may be null) must outlive the transfer.
    Transfer(
        TransferRequest request, TimePoint now, Counters& counters, FileObserver* observer = nullptr
    );

    // From the server's address to this transfer's port.
    void on_datagram(std::uint16_t source_port, std::span<const std::byte> bytes, TimePoint now);
    void on_deadline(TimePoint now);
    std::optional<Out> poll_transmit();
    std::optional<TimePoint> next_deadline() const;

    const TransferRequest& request() const { return request_; }

    const std::optional<FileResult>& result() const { return result_; }

private:
    void on_oack(const OackPacket& oack, TimePoint now);
    void on_data(const DataPacket& data, TimePoint now);
    void on_duplicate(std::uint16_t block, TimePoint now);
    void take_block(const DataPacket& data, TimePoint now);
    void end(FileStatus status);
    void send(std::vector<std::byte> bytes);
    void send_ack(TimePoint now);

    TransferRequest request_;
    Counters& counters_;
    FileObserver* observer_;
    std::optional<std::uint16_t> server_port_;  // latched from the first answer
    unsigned block_bytes_ = default_block_bytes;
    bool oack_ = false;
    std::optional<std::uint64_t> tsize_;
    std::uint16_t received_ = 0;  // the last block taken, as on the wire
    std::uint64_t blocks_ = 0;
    std::uint64_t size_ = 0;
    bool last_ = false;
    Sha256 sum_;
    std::string content_;
    std::optional<TimePoint> ack_at_;  // thinking
    TimePoint resend_at_;
    TimePoint gives_up_at_;
    std::deque<Out> outgoing_;
    std::optional<FileResult> result_;
};

}  // namespace bramble::virtual_board
