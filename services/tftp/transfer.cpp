#include "services/tftp/transfer.hpp"

#include <algorithm>

#include "services/bytes/byte_writer.hpp"

namespace bramble::tftp {

std::string_view to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::complete:
            return "complete";
        case Outcome::complete_unacknowledged:
            return "complete-unacknowledged";
        case Outcome::probe:
            return "probe";
        case Outcome::aborted:
            return "aborted";
        case Outcome::timed_out:
            return "timed-out";
        case Outcome::missing:
            return "missing";
        case Outcome::refused:
            return "refused";
        case Outcome::replaced:
            return "replaced";
    }
    return "";
}

Transfer::Transfer(std::shared_ptr<const Content> content, const Terms& terms, TimePoint now)
    : content_(std::move(content)),
      terms_(terms),
      blocks_total_(content_->bytes.size() / terms.blksize + 1),
      awaiting_oack_ack_(terms.has_oack()),
      oack_due_(terms.has_oack()) {
    stats_.started = now;
    last_heard_ = now;
}

std::uint64_t Transfer::window_end() const {
    // A window above 1 was granted by an OACK, whose ACK comes before the first block: a forged
    // request is never answered with more than one datagram (T11).
    return std::min(acknowledged_ + terms_.windowsize, blocks_total_);
}

void Transfer::arm(TimePoint now, const TransferLimits& limits) {
    last_sent_ = now;
    // RFC 2349: the interval that the client chose replaces ours.
    deadline_ =
        now + (terms_.timeout ? *terms_.timeout : round_trip_.timeout(limits.retransmit, attempt_));
}

bool Transfer::wants_to_transmit() const {
    if (finished()) return false;
    return oack_due_ || (!awaiting_oack_ack_ && next_ < window_end());
}

bool Transfer::poll_transmit(Outgoing& out, TimePoint now, const TransferLimits& limits) {
    if (!wants_to_transmit()) return false;
    // A first reply may go to a forged address, a repetition to a board that has gone.
    out.peer_is_there = heard_ && attempt_ == 0;
    if (oack_due_) {
        oack_due_ = false;
        const auto oack = emit_oack(terms_, content_->bytes.size(), out.header);
        out.header_size = static_cast<std::uint16_t>(oack.size());
        out.payload = {};
        arm(now, limits);
        return true;
    }
    const auto header = emit_data(BlockNumber::of_count(next_ + 1), {}, out.header);
    out.header_size = static_cast<std::uint16_t>(header.size());
    const std::uint64_t offset = next_ * terms_.blksize;
    const std::uint64_t left = content_->bytes.size() - offset;
    out.payload = content_->bytes.subspan(offset, std::min<std::uint64_t>(left, terms_.blksize));
    if (next_ < sent_max_) {
        ++stats_.retransmissions;
        window_measurable_ = false;
    }
    ++next_;
    sent_max_ = std::max(sent_max_, next_);
    ++stats_.blocks_sent;
    arm(now, limits);
    return true;
}

void Transfer::on_ack(BlockNumber block, TimePoint now) {
    if (finished()) return;
    if (awaiting_oack_ack_) {
        // RFC 2347: the client confirms an OACK with ACK 0. Another number is a leftover of an
        // earlier transfer of this port; an ACK before the OACK left confirms nothing (T8).
        if (oack_due_ || block != BlockNumber(0)) {
            ++stats_.ignored_acks;
            return;
        }
        if (attempt_ == 0) round_trip_.sample(now - last_sent_);
        awaiting_oack_ack_ = false;
    } else {
        const std::uint16_t steps = BlockNumber::of_count(acknowledged_).steps_to(block);
        if (steps == 0 || steps >= 0x8000U) {
            // Of a block that was acknowledged before: an answer with DATA would double every
            // later block of this transfer (Sorcerer's Apprentice, RFC 1123 §4.2.3.1).
            ++stats_.duplicate_acks;
            // In lock-step a client that had the block says so by this.
            if (steps == 0 && stats_.retransmissions != 0 && terms_.windowsize == 1)
                round_trip_.was_hasty();
            return;
        }
        if (acknowledged_ + steps > sent_max_) {
            ++stats_.ignored_acks;
            return;
        }
        const bool whole_window = acknowledged_ + steps == next_;
        if (whole_window && window_measurable_ && attempt_ == 0) {
            round_trip_.sample(now - last_sent_);
        }
        acknowledged_ += steps;
        // RFC 7440 §4: an ACK inside the window says what arrived in order; the next window begins
        // behind it, also where that sends a block again.
        next_ = acknowledged_;
    }
    heard_ = true;
    attempt_ = 0;
    last_heard_ = now;
    window_measurable_ = true;
    deadline_ = TimePoint::max();
    stats_.bytes_acknowledged =
        std::min<std::uint64_t>(acknowledged_ * terms_.blksize, content_->bytes.size());
    if (acknowledged_ == blocks_total_) outcome_ = Outcome::complete;
}

void Transfer::on_error(std::uint16_t code) {
    if (finished()) return;
    // A Pi looks whether a file is there by ending its transfer at once with error 0, "Early
    // terminate" (fact sheet 2.2); EDK2 learns a size the same way with error 4. Error 8 is a
    // client that cannot live with the OACK (RFC 2347).
    const bool polite = code == static_cast<std::uint16_t>(ErrorCode::not_defined) ||
                        code == static_cast<std::uint16_t>(ErrorCode::illegal_operation);
    outcome_ = polite && acknowledged_ <= 1 ? Outcome::probe : Outcome::aborted;
}

Outcome Transfer::outcome_if_left() const {
    return heard_ && all_was_sent() ? Outcome::complete_unacknowledged : Outcome::replaced;
}

void Transfer::on_deadline(TimePoint now, const TransferLimits& limits) {
    if (finished() || now < deadline_) return;
    unsigned retries = limits.retries_max;
    if (!heard_) {
        retries = limits.handshake_retries_max;
    } else if (all_was_sent()) {
        retries = limits.final_retries_max;
    }
    if (attempt_ >= retries) {
        // RFC 1350 §6: a client that ended normally does not answer the last block again.
        outcome_ = heard_ && all_was_sent() ? Outcome::complete_unacknowledged : Outcome::timed_out;
        return;
    }
    ++attempt_;
    deadline_ = TimePoint::max();  // until it was sent again
    send_again();
}

void Transfer::on_repeated_request(TimePoint now, const TransferLimits& limits) {
    if (finished() || heard_ || wants_to_transmit()) return;
    // Some boards are harmed by a second OACK (fact sheet 2.2), so not as soon as the timer may.
    if (now - last_sent_ < std::max(limits.retransmit.floor, RoundTrip::initial)) return;
    send_again();
}

void Transfer::send_again() {
    if (awaiting_oack_ack_) {
        oack_due_ = true;
        ++stats_.retransmissions;
    } else {
        next_ = acknowledged_;  // poll_transmit counts the blocks
    }
}

}  // namespace bramble::tftp
