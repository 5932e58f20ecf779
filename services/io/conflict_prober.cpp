#include "services/io/conflict_prober.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "services/io/frames.hpp"

namespace bramble::io {
namespace {

constexpr std::size_t frame_bytes_max = 128;  // an ARP frame, padded to 60 by many
constexpr unsigned frames_per_turn = 64;

}  // namespace

ConflictProber::ConflictProber(Loop& loop, PacketSocket& socket, MacAddress own, OnResult on_result)
    : loop_(loop), socket_(socket), own_(own), on_result_(std::move(on_result)) {
    timer_ = loop_.make_timer([this] { on_deadline(); });
    watch_ = loop_.watch_readable(socket_.fd(), [this] { on_frames(); });
}

void ConflictProber::probe(Ipv4Address address) {
    const TimePoint now = loop_.now();
    if (pending_.size() >= probes_max) {
        loop_.post([this, address] { on_result_(address, false); });
        return;
    }
    const auto [place, added] =
        pending_.try_emplace(address, Pending{now + repeat_after, now + wait, false});
    if (!added) return;
    send_probe(address);
    schedule();
}

void ConflictProber::send_probe(Ipv4Address address) {
    std::array<std::byte, arp_frame_bytes> frame{};
    const std::size_t size = write_arp_probe(frame, own_, address);
    socket_.send(std::span(frame).first(size));
}

void ConflictProber::on_frames() {
    std::array<std::byte, frame_bytes_max> buffer{};
    for (unsigned i = 0; i < frames_per_turn; ++i) {
        const auto frame = socket_.receive(buffer);
        if (frame.empty()) break;
        const auto sighting = parse_arp(frame);
        if (!sighting || sighting->mac == own_) continue;
        if (pending_.erase(sighting->address) > 0) on_result_(sighting->address, true);
    }
    schedule();
}

void ConflictProber::on_deadline() {
    const TimePoint now = loop_.now();
    std::vector<Ipv4Address> free;
    for (auto& [address, pending] : pending_) {
        if (pending.give_up_at <= now) {
            free.push_back(address);
        } else if (!pending.repeated && pending.repeat_at <= now) {
            pending.repeated = true;
            send_probe(address);
        }
    }
    for (const Ipv4Address address : free) {
        pending_.erase(address);
        on_result_(address, false);
    }
    schedule();
}

void ConflictProber::schedule() {
    if (pending_.empty()) {
        timer_.cancel();
        return;
    }
    TimePoint next = TimePoint::max();
    for (const auto& [address, pending] : pending_) {
        next = std::min(next, pending.repeated ? pending.give_up_at : pending.repeat_at);
    }
    timer_.expire_at(next);
}

}  // namespace bramble::io
