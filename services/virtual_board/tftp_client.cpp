#include "services/virtual_board/tftp_client.hpp"

#include <algorithm>
#include <utility>

namespace bramble::virtual_board {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

template <typename... Callable>
Overloaded(Callable...) -> Overloaded<Callable...>;  // clang 14 deduces none for aggregates

constexpr std::uint16_t error_undefined = 0;
constexpr std::uint16_t error_options_refused = 8;  // RFC 2347

}  // namespace

Transfer::Transfer(
    TransferRequest request, TimePoint now, Counters& counters, FileObserver* observer
)
    : request_(std::move(request)),
      counters_(counters),
      observer_(observer),
      resend_at_(now + request_.resend),
      gives_up_at_(now + request_.file_timeout) {
    ++counters_.rrqs;
    outgoing_.push_back({tftp_port, make_rrq(request_.path, request_.options)});
}

std::optional<Transfer::Out> Transfer::poll_transmit() {
    if (outgoing_.empty()) return std::nullopt;
    Out out = std::move(outgoing_.front());
    outgoing_.pop_front();
    return out;
}

void Transfer::send(std::vector<std::byte> bytes) {
    outgoing_.push_back({server_port_.value_or(tftp_port), std::move(bytes)});
}

void Transfer::end(FileStatus status) {
    FileResult result;
    result.status = status;
    result.oack = oack_;
    result.size = status == FileStatus::found ? tsize_.value_or(0) : size_;
    if (status == FileStatus::complete) {
        if (request_.digest) result.digest = sum_.finish();
        result.content = std::move(content_);
    }
    result_ = std::move(result);
    ack_at_.reset();
}

std::optional<TimePoint> Transfer::next_deadline() const {
    if (result_) return std::nullopt;
    return std::min(ack_at_.value_or(resend_at_), gives_up_at_);
}

void Transfer::on_deadline(TimePoint now) {
    if (result_) return;
    if (now >= gives_up_at_) {
        ++counters_.file_timeouts;
        return end(FileStatus::timed_out);
    }
    if (ack_at_) {
        if (now >= *ack_at_) send_ack(now);
        return;
    }
    if (now < resend_at_) return;
    resend_at_ = now + request_.resend;
    if (!server_port_) {  // from the same port again (E#74)
        ++counters_.rrq_retries;
        return send(make_rrq(request_.path, request_.options));
    }
    ++counters_.ack_retries;
    send(make_ack(received_));
}

void Transfer::send_ack(TimePoint now) {
    ack_at_.reset();
    send(make_ack(received_));
    resend_at_ = now + request_.resend;
    if (!last_) return;
    // No dallying: a lost last ACK is not repaired, the server must end quietly.
    const bool short_of = tsize_ && *tsize_ != size_;
    end(short_of ? FileStatus::size_mismatch : FileStatus::complete);
}

void Transfer::on_datagram(
    std::uint16_t source_port, std::span<const std::byte> bytes, TimePoint now
) {
    if (result_) return;
    if (server_port_ && *server_port_ != source_port) {
        ++counters_.ignored_datagrams;
        return;
    }
    const ServerPacket packet = parse_server_packet(bytes, request_.options);
    if (std::holds_alternative<NoPacket>(packet)) {
        ++counters_.ignored_datagrams;
        return;
    }
    if (!server_port_) server_port_ = source_port;
    std::visit(
        Overloaded{
            [&](const DataPacket& data) { on_data(data, now); },
            [&](const OackPacket& oack) { on_oack(oack, now); },
            [&](const BadOack&) {
                ++counters_.bad_oacks;
                send(make_error(error_options_refused, "BAD OACK"));
                end(FileStatus::bad_oack);
            },
            [&](const ErrorPacket&) {
                ++counters_.missing;
                end(FileStatus::missing);
            },
            [](const NoPacket&) {}},
        packet
    );
}

void Transfer::on_oack(const OackPacket& oack, TimePoint now) {
    if (blocks_ > 0 || tsize_) {  // the same OACK again: our ACK 0 was lost or overtaken
        ++counters_.duplicate_data;
        if (blocks_ == 0 && request_.acknowledges_duplicates) send(make_ack(0));
        return;
    }
    tsize_ = oack.tsize;
    oack_ = request_.options.blksize == 0 || oack.blksize.has_value();
    if (oack.blksize) block_bytes_ = static_cast<unsigned>(*oack.blksize);
    if (request_.probe) {
        send(make_error(error_undefined, early_terminate));
        return end(FileStatus::found);
    }
    send_ack(now);
}

void Transfer::on_data(const DataPacket& data, TimePoint now) {
    const auto expected = static_cast<std::uint16_t>(received_ + 1);
    if (data.block == expected && !last_) return take_block(data, now);
    const auto behind = static_cast<std::uint16_t>(received_ - data.block);
    const bool had_it = behind < 0x8000 && behind < blocks_;
    if (!had_it) {
        ++counters_.ignored_datagrams;
        return;
    }
    on_duplicate(data.block, now);
}

void Transfer::on_duplicate(std::uint16_t block, TimePoint now) {
    ++counters_.duplicate_data;
    if (request_.hangs_on_duplicate && block == received_) {
        send(make_ack(static_cast<std::uint16_t>(received_ + 1)));
        ++counters_.hangs;
        return end(FileStatus::hung);
    }
    // While it thinks about this very block, its ACK is on the way anyhow.
    if (ack_at_ || !request_.acknowledges_duplicates) return;
    resend_at_ = now + request_.resend;
    send(make_ack(block));
}

void Transfer::take_block(const DataPacket& data, TimePoint now) {
    if (request_.probe) {  // no OACK: DATA 1 tells as much
        send(make_error(error_undefined, early_terminate));
        return end(FileStatus::found);
    }
    if (data.payload.size() > block_bytes_) {
        ++counters_.ignored_datagrams;
        return;
    }
    if (received_ == 0xffff && !request_.rolls_over) {
        send(make_error(error_undefined, "File too large"));
        return end(FileStatus::too_large);
    }
    if (observer_ != nullptr) observer_->on_bytes(request_.path, size_, data.payload);
    if (request_.digest) sum_.update(data.payload);
    if (request_.keep_content && size_ + data.payload.size() <= content_bytes_max) {
        content_.append(reinterpret_cast<const char*>(data.payload.data()), data.payload.size());
    }
    received_ = data.block;
    ++blocks_;
    size_ += data.payload.size();
    counters_.bytes += data.payload.size();
    last_ = data.payload.size() < block_bytes_;
    ack_at_ = now + request_.think;
    if (request_.think <= Duration::zero()) send_ack(now);
}

}  // namespace bramble::virtual_board
