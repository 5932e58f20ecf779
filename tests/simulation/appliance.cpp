#include "tests/simulation/appliance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bramble::simulation {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::uint16_t first_data_port = 33000;
constexpr std::uint16_t tftp_port = 69;
constexpr Duration commit_time = milliseconds(2);  // one transaction on an ordinary disk
constexpr Duration probe_time = milliseconds(300);
constexpr Duration wake_pause_min = microseconds(100);
constexpr std::uint8_t opcode_data = 3;

}  // namespace

Appliance::Running::Running(Appliance& appliance)
    : server(appliance.fleet_.fleet), engine(tftp::Settings{}, appliance) {}

Appliance::Appliance(const SimulatedFleet& fleet, Agenda& agenda, Outside outside)
    : fleet_(fleet), agenda_(agenda), outside_(std::move(outside)), paths_(fleet.manifest) {
    start();
}

void Appliance::start() {
    ++life_;
    running_.emplace(*this);
    running_->data_port = static_cast<std::uint16_t>(first_data_port + life_);
    std::vector<dhcp::Lease> leases;
    for (const auto& [address, lease] : committed_) {
        leases.push_back(lease);
        running_->addresses[address] = lease.board;
    }
    running_->server.restore(leases);
    last_sent_.clear();
}

void Appliance::crash(Duration down) {
    if (!running_) return;
    ++crashes_;
    running_.reset();
    agenda_.after(down, [this] { start(); });
}

void Appliance::on_dhcp(std::span<const std::byte> datagram, const dhcp::Arrival& arrival) {
    if (!running_) return;
    take(running_->server.on_message(datagram, arrival, agenda_.now()));
    wake_later();
}

// The shell's order: leases are durable, then the replies leave.
void Appliance::take(dhcp::Outcome outcome) {
    for (const dhcp::LeaseChange& change : outcome.lease_changes) commit(change);
    for (const dhcp::Event& event : outcome.events) {
        if (const auto* learned = std::get_if<dhcp::AddressLearned>(&event.what)) {
            running_->addresses[learned->address] = event.client.board;
        }
    }
    for (const dhcp::Probe& probe : outcome.probes) {
        agenda_.after(probe_time, [this, address = probe.address, life = life_] {
            if (!running_ || life != life_) return;
            take(running_->server.on_probe_result(address, outside_.in_use(address), agenda_.now())
            );
            wake_later();
        });
    }
    for (dhcp::Reply& reply : outcome.replies) {
        agenda_.after(commit_time, [this, reply = std::move(reply), life = life_] {
            if (running_ && life == life_) outside_.send_dhcp(reply);  // a crash comes in between
        });
    }
}

void Appliance::commit(const dhcp::LeaseChange& change) {
    if (const auto* removed = std::get_if<dhcp::RemoveLease>(&change)) {
        committed_.erase(removed->address);
        return;
    }
    const dhcp::Lease& lease = std::get<dhcp::PutLease>(change).lease;
    const auto before = committed_.find(lease.address);
    if (before != committed_.end() && before->second.mac != lease.mac &&
        before->second.expires > agenda_.now()) {
        outside_.complain(fmt::format(
            "{} was leased to {} and is now leased to {}",
            lease.address.to_string(),
            before->second.mac.to_string(),
            lease.mac.to_string()
        ));
    }
    committed_[lease.address] = lease;
}

bool Appliance::takes_report(const SimulatedBoard& board, Ipv4Address from) const {
    if (!running_) return false;
    const auto known = running_->addresses.find(from);
    if (known != running_->addresses.end()) return known->second == board.name;
    return board.reserved == from;
}

tftp::Resolution Appliance::resolve(
    const tftp::Peer& peer, std::string_view path, TimePoint /*now*/
) {
    const auto known = running_->addresses.find(peer.address);
    const layout::BoardEntry* asking =
        known == running_->addresses.end() ? nullptr : fleet_.manifest.find_board(known->second);
    const tftp::Lookup lookup = paths_.resolve(asking, path, tftp::TrustPrefix::no);
    if (const auto* found = std::get_if<tftp::Found>(&lookup)) {
        const File& bytes = fleet_.files.at(found->board->name).at(found->path);

        // Shares the bytes' ownership: the transfer keeps them alive.
        struct Held {
            tftp::Content content;
            File bytes;
        };

        auto held = std::make_shared<const Held>(Held{{*bytes}, bytes});
        std::shared_ptr<const tftp::Content> content(held, &held->content);
        return tftp::File{content, found->board->name, found->path, fleet_.manifest.generation};
    }
    if (const auto* absent = std::get_if<tftp::Absent>(&lookup)) {
        return tftp::NotFound{absent->board != nullptr ? absent->board->name : "", absent->path};
    }
    const auto& denied = std::get<tftp::Denied>(lookup);
    return tftp::Refused{
        denied.board != nullptr ? denied.board->name : "", denied.path, denied.reason};
}

void Appliance::on_tftp(
    const tftp::Peer& peer, std::uint16_t to_port, std::span<const std::byte> datagram
) {
    if (!running_) return;
    if (to_port == tftp_port) {
        last_sent_.erase(peer);
        running_->engine.on_request(peer, datagram, agenda_.now());
    } else if (to_port == running_->data_port) {
        running_->engine.on_datagram(peer, datagram, agenda_.now());
    }
    transmit();
    wake_later();
}

void Appliance::transmit() {
    std::array<tftp::Outgoing, 32> batch;
    std::size_t count = batch.size();
    while (count == batch.size()) {
        count = running_->engine.poll_transmit(batch, agenda_.now());
        for (const tftp::Outgoing& out : std::span(batch).first(count)) {
            std::vector<std::byte> datagram(out.head().begin(), out.head().end());
            datagram.insert(datagram.end(), out.payload.begin(), out.payload.end());
            check_pace(out.peer, datagram);
            outside_.send_tftp(out.peer, running_->data_port, std::move(datagram));
        }
    }
    while (running_->engine.poll_event()) {
    }
}

// Fact sheet 2.2: never the same DATA again before the timer's floor, whatever came in: F#1631
// hangs on it.
void Appliance::check_pace(const tftp::Peer& peer, std::span<const std::byte> datagram) {
    const bool data = datagram.size() >= 4 && datagram[1] == std::byte{opcode_data};
    const auto block = static_cast<std::uint16_t>(
        std::to_integer<unsigned>(datagram[2]) << 8U | std::to_integer<unsigned>(datagram[3])
    );
    LastSent& last = last_sent_[peer];
    if (data && last.data && last.block == block) {
        ++retransmissions_;
        if (agenda_.now() - last.at < tftp::RetransmitLimits{}.floor) {
            outside_.complain(fmt::format(
                "DATA {} went to {} twice within {} ms",
                block,
                tftp::to_string(peer),
                std::chrono::floor<milliseconds>(agenda_.now() - last.at).count()
            ));
        }
    }
    last = {block, agenda_.now(), data};
}

void Appliance::wake_later() {
    std::optional<TimePoint> due = running_->server.next_deadline();
    if (const auto tftp = running_->engine.next_deadline(); tftp && (!due || *tftp < *due)) {
        due = tftp;
    }
    if (!due) return;
    const TimePoint when = std::max(*due, agenda_.now() + wake_pause_min);
    if (running_->woken_at && *running_->woken_at <= when) return;
    running_->woken_at = when;
    agenda_.at(when, [this, when, life = life_] {
        if (!running_ || life != life_ || running_->woken_at != when) return;
        wake();
    });
}

void Appliance::wake() {
    running_->woken_at.reset();
    const TimePoint now = agenda_.now();
    if (const auto due = running_->server.next_deadline(); due && *due <= now) {
        take(running_->server.on_deadline(now));
    }
    running_->engine.on_deadline(now);
    transmit();
    wake_later();
}

}  // namespace bramble::simulation
