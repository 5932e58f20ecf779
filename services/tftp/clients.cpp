#include "services/tftp/clients.hpp"

#include <algorithm>

namespace bramble::tftp {
namespace {

// How many remembered addresses one newcomer may look at to find one that is idle.
constexpr std::size_t search_max = 16;

std::uint32_t hash_of(Ipv4Address address) {
    return static_cast<std::uint32_t>(std::hash<Ipv4Address>{}(address));
}

}  // namespace

double TokenBucket::filled(unsigned per_second, unsigned burst, TimePoint now) const {
    const double elapsed_s = std::chrono::duration<double>(now - at_).count();
    const double missing = std::max(0.0, missing_ - std::max(0.0, elapsed_s) * per_second);
    return static_cast<double>(burst) - missing;
}

bool TokenBucket::take(unsigned per_second, unsigned burst, TimePoint now) {
    const double tokens = filled(per_second, burst, now);
    missing_ = static_cast<double>(burst) - tokens;
    at_ = now;
    if (tokens < 1.0) return false;
    missing_ += 1.0;
    return true;
}

bool TokenBucket::full(unsigned per_second, unsigned burst, TimePoint now) const {
    return filled(per_second, burst, now) >= static_cast<double>(burst);
}

Clients::Clients(const ClientLimits& limits) : limits_(limits), by_address_(64) {}

Slot Clients::find(Ipv4Address address) const {
    return by_address_.find(hash_of(address), [&](Slot slot) {
        return clients_[slot].address == address;
    });
}

Slot Clients::claim(Ipv4Address address, TimePoint now) {
    Slot slot = no_slot;
    if (clients_.size() < limits_.clients_max) {
        slot = static_cast<Slot>(clients_.size());
        clients_.emplace_back();
    } else {
        for (std::size_t i = 0; i < search_max && !clients_.empty(); ++i) {
            hand_ = (hand_ + 1) % clients_.size();
            const Client& idle = clients_[hand_];
            if (idle.transfers != 0) continue;
            if (!idle.bucket.full(limits_.requests_per_second, limits_.request_burst, now))
                continue;
            slot = static_cast<Slot>(hand_);
            by_address_.erase(hash_of(idle.address), slot);
            break;
        }
        if (slot == no_slot) return no_slot;
    }
    clients_[slot] = Client{};
    clients_[slot].address = address;
    by_address_.insert(hash_of(address), slot);
    return slot;
}

bool Clients::admit(Ipv4Address address, TimePoint now) {
    Slot slot = find(address);
    if (slot == no_slot) slot = claim(address, now);
    if (slot == no_slot) return false;
    return clients_[slot].bucket.take(limits_.requests_per_second, limits_.request_burst, now);
}

void Clients::add_transfer(Slot client, Slot transfer) {
    if (transfer >= links_.size()) links_.resize(transfer + 1);
    Client& owner = clients_[client];
    links_[transfer] = {client, owner.head, no_slot};
    if (owner.head != no_slot) links_[owner.head].newer = transfer;
    owner.head = transfer;
    ++owner.transfers;
}

void Clients::remove_transfer(Slot transfer) {
    const Link link = links_[transfer];
    Client& owner = clients_[link.client];
    if (link.newer == no_slot) {
        owner.head = link.older;
    } else {
        links_[link.newer].older = link.older;
    }
    if (link.older != no_slot) links_[link.older].newer = link.newer;
    --owner.transfers;
    links_[transfer] = Link{};
}

}  // namespace bramble::tftp
