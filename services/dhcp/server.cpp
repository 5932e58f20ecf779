#include "services/dhcp/server.hpp"

#include <algorithm>

#include "services/dhcp/server_state.hpp"

namespace bramble::dhcp {
namespace {

bool is_group(MacAddress mac) {
    return (mac.octets()[0] & 1U) != 0;
}

Pool pool_of(const fleet::Fleet& fleet) {
    const fleet::Appliance& appliance = fleet.appliance;
    Pool pool;
    pool.range = appliance.dhcp.pool;
    pool.excluded = {
        appliance.address.address(), appliance.address.network(), appliance.address.broadcast()};
    if (appliance.dhcp.router) pool.excluded.insert(*appliance.dhcp.router);
    pool.excluded.insert(appliance.dhcp.dns.begin(), appliance.dhcp.dns.end());
    for (const fleet::Board& board : fleet.boards) {
        if (board.address) {
            pool.excluded.insert(*board.address);
        } else {
            ++pool.kept_for_boards;
        }
    }
    return pool;
}

}  // namespace

Server::State::State(std::shared_ptr<const fleet::Fleet> fleet, BootGate* gate) : gate_(gate) {
    set_fleet(std::move(fleet));
}

void Server::State::set_fleet(std::shared_ptr<const fleet::Fleet> fleet) {
    fleet_ = std::move(fleet);
    index_ = std::make_unique<fleet::BoardIndex>(*fleet_);
    table_.set_pool(pool_of(*fleet_));
    std::erase_if(held_, [this](const auto& entry) {
        return fleet_->find_board(entry.first) == nullptr;
    });
}

void Server::State::restore(std::span<const Lease> leases) {
    for (const Lease& lease : leases) {
        if (!network().has_host(lease.address) || lease.address == own_address()) continue;
        table_.restore(lease);
        if (!lease.serial) continue;
        // The kernel's own DHCP carries no serial; a restart must not lose whose MAC it was.
        memory_.touch(lease.mac).machine = MachineId{MachineIdForm::rpi4, lease.serial, {}};
    }
}

void Server::State::on_message(
    std::span<const std::byte> datagram, const Arrival& arrival, TimePoint now, Outcome& out
) {
    auto message = parse(datagram);
    if (!message) {
        ++counters_.malformed;
        return;
    }
    if (message->op == Operation::reply) {
        ++counters_.replies_received;
        Request seen;
        seen.message = std::move(*message);
        seen.now = now;
        seen.client.mac = seen.message.chaddr;
        on_foreign_reply(seen, out);
        return;
    }
    if (!acceptable(*message, arrival)) return;
    ++counters_.received[static_cast<std::size_t>(message->type)];
    const std::size_t replies_before = out.replies.size();
    dispatch(identify(std::move(*message), arrival, now), out);
    if (out.replies.size() == replies_before) ++counters_.silent;
}

bool Server::State::acceptable(const Message& message, const Arrival& arrival) {
    if (message.hops > hops_max) {
        ++counters_.hops_exceeded;
        return false;
    }
    if (message.chaddr == MacAddress() || is_group(message.chaddr)) {
        ++counters_.bad_hardware;
        return false;
    }
    const Ipv4Address giaddr = message.giaddr;
    // The relay's address says which network the client is on (RFC 2131 §4.3.1); we have one.
    if (giaddr.is_set() && (giaddr == own_address() || !network().has_host(giaddr))) {
        ++counters_.bad_relay;
        return false;
    }
    const Ipv4Address source = arrival.source;
    // A relay may speak from its other side's address; a client has none, or one of ours.
    const bool plausible =
        !source.is_set() || (source != own_address() && source != Ipv4Address::broadcast() &&
                             (giaddr.is_set() || network().has_host(source)));
    if (!plausible) ++counters_.odd_source;
    return plausible;
}

void Server::State::dispatch(const Request& request, Outcome& out) {
    table_.expire(request.now);
    const MessageType type = request.message.type;
    if (mode() == fleet::DhcpMode::off) {
        if (type == MessageType::discover) {
            say(request, Discovered{request.message.xid, request.message.secs}, out);
        }
        return overhear(request, out);
    }
    if (request.arrival.local_port == proxy_port) return on_boot_server_request(request, out);
    if (mode() == fleet::DhcpMode::proxy) {
        if (type == MessageType::discover) return on_proxy_discover(request, out);
        return overhear(request, out);
    }
    switch (type) {
        case MessageType::discover:
            return on_discover(request, out);
        case MessageType::request:
            return on_request(request, out);
        case MessageType::decline:
            return on_decline(request, out);
        case MessageType::release:
            return on_release(request, out);
        case MessageType::inform:
            return on_inform(request, out);
        default:  // a server's message with a client's operation
            ++counters_.malformed;
    }
}

void Server::State::say(const Request& request, EventBody what, Outcome& out) const {
    out.events.push_back(Event{request.now, request.client, std::move(what)});
}

void Server::State::on_deadline(TimePoint now, Outcome& out) {
    std::vector<std::pair<Ipv4Address, Pending>> due;
    for (const auto& [address, pending] : pending_) {
        if (pending.deadline <= now) due.emplace_back(address, pending);
    }
    for (const auto& [address, pending] : due) {
        pending_.erase(address);
        finish_pending(pending, address, now, out);
    }
    std::vector<Delayed> ripe;
    for (const auto& [mac, delayed] : delayed_) {
        if (delayed.deadline <= now) ripe.push_back(delayed);
    }
    for (const Delayed& delayed : ripe) {
        delayed_.erase(delayed.message.chaddr);
        answer_delayed(delayed, now, out);
    }
    table_.expire(now);
}

std::optional<TimePoint> Server::State::next_deadline() const {
    std::optional<TimePoint> next = table_.next_deadline();
    for (const auto& [address, pending] : pending_) {
        next = next ? std::min(*next, pending.deadline) : pending.deadline;
    }
    for (const auto& [mac, delayed] : delayed_) {
        next = next ? std::min(*next, delayed.deadline) : delayed.deadline;
    }
    return next;
}

std::optional<Holder> Server::State::holder(Ipv4Address address, TimePoint now) const {
    if (const Lease* lease = table_.live_lease_at(address, now)) {
        return Holder{lease->mac, lease->serial, lease->board};
    }
    const auto found = sightings_.find(address);
    if (found == sightings_.end() || found->second.at + sighting_time <= now) return std::nullopt;
    return found->second.holder;
}

Server::Server(std::shared_ptr<const fleet::Fleet> fleet, BootGate* gate)
    : state_(std::make_unique<State>(std::move(fleet), gate)) {}

Server::~Server() = default;
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;

void Server::restore(std::span<const Lease> leases) {
    state_->restore(leases);
}

void Server::set_fleet(std::shared_ptr<const fleet::Fleet> fleet) {
    state_->set_fleet(std::move(fleet));
}

Outcome Server::on_message(
    std::span<const std::byte> datagram, const Arrival& arrival, TimePoint now
) {
    Outcome out;
    state_->on_message(datagram, arrival, now, out);
    return out;
}

Outcome Server::on_overheard(
    std::span<const std::byte> datagram, const Sender& sender, TimePoint now
) {
    Outcome out;
    state_->on_overheard(datagram, sender, now, out);
    return out;
}

Outcome Server::on_probe_result(Ipv4Address address, bool in_use, TimePoint now) {
    Outcome out;
    state_->on_probe_result(address, in_use, now, out);
    return out;
}

Outcome Server::release(const std::string& board, TimePoint now) {
    Outcome out;
    state_->release(board, now, out);
    return out;
}

Outcome Server::on_deadline(TimePoint now) {
    Outcome out;
    state_->on_deadline(now, out);
    return out;
}

std::optional<TimePoint> Server::next_deadline() const {
    return state_->next_deadline();
}

std::optional<Holder> Server::holder(Ipv4Address address, TimePoint now) const {
    return state_->holder(address, now);
}

std::vector<Lease> Server::leases(TimePoint now) const {
    return state_->table().live_leases(now);
}

const Counters& Server::counters() const {
    return state_->counters();
}

}  // namespace bramble::dhcp
