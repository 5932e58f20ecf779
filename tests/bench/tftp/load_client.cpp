#include "tests/bench/tftp/load_client.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::bench {
namespace {

constexpr std::uint16_t op_rrq = 1;
constexpr std::uint16_t op_data = 3;
constexpr std::uint16_t op_ack = 4;
constexpr std::uint16_t op_error = 5;
constexpr std::uint16_t op_oack = 6;
constexpr auto file_timeout = std::chrono::seconds(30);  // TFTP_FILE_TIMEOUT, fact sheet 1.7

std::string path_of(const std::string& pattern, std::size_t number) {
    const std::size_t at = pattern.find("{n}");
    if (at == std::string::npos) return pattern;
    return fmt::format("{}{:08x}{}", pattern.substr(0, at), number, pattern.substr(at + 3));
}

}  // namespace

LoadClient::LoadClient(
    const LoadPlan& plan, std::size_t station, std::uint16_t first_port, LoadCounters& counters
)
    : plan_(&plan), counters_(&counters), station_(station), first_port_(first_port) {}

void LoadClient::start(TimePoint now, const Send& send) {
    file_ = 0;
    retries_ = 0;
    file_started_ = now;
    request(now, send);
}

void LoadClient::request(TimePoint now, const Send& send) {
    state_ = State::requested;
    server_port_ = 0;
    expected_ = 1;
    in_window_ = 0;
    received_bytes_ = 0;
    expected_bytes_ = 0;
    blksize_ = 512;
    windowsize_ = 1;
    std::array<std::byte, 400> buffer{};
    ByteWriter writer(buffer);
    writer.u16(op_rrq);
    const auto text = [&writer](std::string_view value) {
        writer.text(value);
        writer.u8(0);
    };
    text(path_of(plan_->files[file_], station_));
    text("octet");
    text("tsize");
    text("0");
    text("blksize");
    text(std::to_string(plan_->blksize));
    if (plan_->windowsize > 1) {
        text("windowsize");
        text(std::to_string(plan_->windowsize));
    }
    last_sent_ = last_heard_ = now;
    send(port(), 69, writer.written());
}

void LoadClient::acknowledge(std::uint16_t block, const Send& send) {
    std::array<std::byte, 4> buffer{};
    ByteWriter writer(buffer);
    writer.u16(op_ack);
    writer.u16(block);
    ack_arrived_ = send(port(), server_port_, writer.written());
}

void LoadClient::on_datagram(const UdpIn& in, TimePoint now, const Send& send) {
    if (in.destination_port != port() || (state_ != State::requested && state_ != State::receiving))
        return;
    if (server_port_ != 0 && in.source_port != server_port_)
        return;  // the first reply's port is latched
    ByteReader reader(in.payload);
    const auto opcode = reader.u16();
    last_heard_ = now;
    if (opcode == op_oack && state_ == State::requested) {
        server_port_ = in.source_port;
        for (auto name = reader.nul_terminated(); name; name = reader.nul_terminated()) {
            const auto value = reader.nul_terminated().value_or("");
            std::uint64_t number = 0;
            std::from_chars(value.data(), value.data() + value.size(), number);
            if (*name == "tsize") expected_bytes_ = number;
            if (*name == "blksize") blksize_ = static_cast<std::uint16_t>(number);
            if (*name == "windowsize") windowsize_ = static_cast<std::uint16_t>(number);
        }
        state_ = State::receiving;
        last_sent_ = now;
        acknowledge(0, send);
    } else if (opcode == op_oack && state_ == State::receiving && expected_ == 1) {
        acknowledge(0, send);  // the first one was lost
    } else if (opcode == op_data) {
        server_port_ = in.source_port;
        state_ = State::receiving;
        on_data(in, now, send);
    } else if (opcode == op_error) {
        ++counters_->errors;
        state_ = State::failed;
    }
}

// A block that was there before, or one from behind a gap.
void LoadClient::on_other_block(std::uint16_t block, const Send& send) {
    const auto last = static_cast<std::uint16_t>(expected_ - 1);
    const auto behind = static_cast<std::uint16_t>(expected_ - block);
    if (behind < 0x8000) {
        ++counters_->duplicate_data;
        if (ack_arrived_) ++counters_->needless_data;
        // Firmware since February 2021 acknowledges it once more (fact sheet 2.2); without that a
        // lost ACK would be the end of the file.
        if (block == last) acknowledge(last, send);
    } else if (windowsize_ > 1 && in_window_ != UINT16_MAX) {
        // RFC 7440 section 4: an out-of-order block is answered with the last block received in
        // order, once a window.
        in_window_ = UINT16_MAX;
        acknowledge(last, send);
    }
}

void LoadClient::on_data(const UdpIn& in, TimePoint now, const Send& send) {
    ByteReader reader(in.payload.subspan(2));
    const auto block = reader.u16();
    if (!block) return;
    if (*block != expected_) {
        on_other_block(*block, send);
        return;
    }
    const std::size_t bytes = in.payload_bytes - 4;
    if (in_window_ == UINT16_MAX) in_window_ = 0;
    received_bytes_ += bytes;
    counters_->bytes += bytes;
    if (counters_->blocks++ % 64 == 0) {
        counters_->round_trip_us.push_back(
            std::chrono::duration<float, std::micro>(now - last_sent_).count()
        );
    }
    // A responder without files always sends whole blocks; the size that the OACK told decides
    // then.
    const bool last =
        bytes < blksize_ || (expected_bytes_ != 0 && received_bytes_ >= expected_bytes_);
    ++expected_;
    ++in_window_;
    if (last || in_window_ >= windowsize_) {
        in_window_ = 0;
        last_sent_ = now;
        acknowledge(*block, send);
    }
    if (last) next_file(now, send);
}

void LoadClient::next_file(TimePoint now, const Send& send) {
    counters_->file_seconds.push_back(std::chrono::duration<float>(now - file_started_).count());
    ++file_;
    ++sequence_;
    retries_ = 0;
    file_started_ = now;
    if (file_ == plan_->files.size()) {
        state_ = State::done;
        finished_at_ = now;
        return;
    }
    request(now, send);
}

void LoadClient::on_tick(TimePoint now, const Send& send) {
    if (state_ == State::requested && now - last_sent_ >= plan_->rrq_retry) {
        ++counters_->rrq_retries;
        if (++retries_ > plan_->rrq_retries_max) {
            state_ = State::failed;
            return;
        }
        request(now, send);
    }
    if (state_ == State::receiving && now - last_heard_ > file_timeout) state_ = State::failed;
}

}  // namespace bramble::bench
