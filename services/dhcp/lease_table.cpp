#include "services/dhcp/lease_table.hpp"

#include <algorithm>

namespace bramble::dhcp {
namespace {

// Open offers that a reclaim looks at, oldest first; more would let a flood make each look slow.
constexpr std::size_t reclaim_looks_max = 64;

Ipv4Address last_of(const Ipv4Range& range) {
    const std::uint64_t count = std::min<std::uint64_t>(range.count(), pool_addresses_max);
    return Ipv4Address(static_cast<std::uint32_t>(range.from.value() + count - 1));
}

}  // namespace

bool Pool::contains(Ipv4Address address) const {
    return range && range->from <= address && address <= last_of(*range) &&
           !excluded.contains(address);
}

void LeaseTable::set_pool(Pool pool) {
    pool_ = std::move(pool);
    usable_ = 0;
    cursor_ = 0;
    if (pool_.range && pool_.range->from <= pool_.range->to) {
        const std::uint32_t last = last_of(*pool_.range).value();
        usable_ = std::size_t{last} - pool_.range->from.value() + 1;
        for (const Ipv4Address address : pool_.excluded) {
            if (pool_.range->from <= address && address.value() <= last) --usable_;
        }
    }
    auto bindings = std::move(bindings_);  // counted anew against the new pool
    bindings_.clear();
    leased_.clear();
    offers_.clear();
    resting_.clear();
    bound_ = 0;
    board_bound_ = 0;
    for (auto& [address, binding] : bindings) put(address, std::move(binding));
}

const Lease* LeaseTable::lease_at(Ipv4Address address) const {
    const auto found = bindings_.find(address);
    if (found == bindings_.end()) return nullptr;
    if (const auto* leased = std::get_if<Leased>(&found->second.state)) return &leased->lease;
    if (const auto* offer = std::get_if<OfferOpen>(&found->second.state)) {
        return offer->previous ? &*offer->previous : nullptr;
    }
    return nullptr;
}

const Lease* LeaseTable::live_lease_at(Ipv4Address address, TimePoint now) const {
    const Lease* lease = lease_at(address);
    return lease != nullptr && lease->expires > now ? lease : nullptr;
}

std::optional<Ipv4Address> LeaseTable::address_of(const ClientKey& client) const {
    const auto found = by_client_.find(client);
    if (found == by_client_.end()) return std::nullopt;
    return found->second;
}

std::optional<ClientKey> LeaseTable::holder_of(Ipv4Address address, TimePoint now) const {
    const auto found = bindings_.find(address);
    if (found == bindings_.end() || over(found->second, now)) return std::nullopt;
    if (std::holds_alternative<Quarantine>(found->second.state)) return std::nullopt;
    return found->second.client;
}

bool LeaseTable::available(Ipv4Address address, const ClientKey& client, TimePoint now) const {
    if (!pool_.contains(address)) return false;
    const auto found = bindings_.find(address);
    if (found == bindings_.end() || over(found->second, now)) return true;
    return found->second.client == client &&
           !std::holds_alternative<Quarantine>(found->second.state);
}

std::optional<Choice> LeaseTable::choose(
    const ClientKey& client, std::optional<Ipv4Address> wanted, Claim claim, TimePoint now
) const {
    const auto own = address_of(client);
    if (own && available(*own, client, now)) {
        const auto found = bindings_.find(*own);
        if (found != bindings_.end() && found->second.client == client) return Choice{*own};
    }
    const std::size_t free = free_count();
    const std::size_t kept =
        claim == Claim::board
            ? 0
            : pool_.kept_for_boards - std::min(pool_.kept_for_boards, board_bound_);
    // What a stranger may take counts addresses whose lease is over as free as well: they are
    // looked at below, one by one, only when no other is left.
    if (free > kept) {
        if (wanted && pool_.contains(*wanted) && !bindings_.contains(*wanted)) {
            return Choice{*wanted, true};
        }
        if (const auto address = never_used()) return Choice{*address, true};
    }
    if (const auto address = longest_over(now)) return Choice{*address, true};
    if (const auto address = reclaimable_offer(claim, now)) return Choice{*address, true, true};
    return std::nullopt;
}

void LeaseTable::offer(Ipv4Address address, const ClientKey& client, Claim claim, TimePoint now) {
    OfferOpen offer{now, std::nullopt, std::nullopt};
    const auto current = address_of(client);
    if (current && *current != address && lease_at(*current) != nullptr) offer.leaving = current;
    const auto found = bindings_.find(address);
    if (found != bindings_.end() && found->second.client == client) {
        const Lease* lease = lease_at(address);
        if (lease != nullptr && lease->expires > now) return;
        if (lease != nullptr) offer.previous = *lease;
        if (const auto* earlier = std::get_if<OfferOpen>(&found->second.state)) {
            offer.leaving = earlier->leaving;
        }
    }
    erase(address);
    put(address, Binding{client, claim, std::move(offer)});
    by_client_.insert_or_assign(client, address);
}

void LeaseTable::leave(
    Ipv4Address address, const ClientKey& client, std::vector<LeaseChange>& changes
) {
    const auto found = bindings_.find(address);
    if (found == bindings_.end() || found->second.client != client) return;
    if (lease_at(address) != nullptr) changes.emplace_back(RemoveLease{address});
    erase(address);
}

std::vector<LeaseChange> LeaseTable::commit(
    const Lease& lease, const ClientKey& client, Claim claim
) {
    std::vector<LeaseChange> changes;
    const auto left = address_of(client);
    const auto found = bindings_.find(left.value_or(lease.address));
    if (found != bindings_.end() && found->second.client == client) {
        const auto* offer = std::get_if<OfferOpen>(&found->second.state);
        const auto leaving = offer != nullptr ? offer->leaving : std::nullopt;
        if (leaving && *leaving != lease.address) leave(*leaving, client, changes);
    }
    if (left && *left != lease.address) leave(*left, client, changes);
    erase(lease.address);
    put(lease.address, Binding{client, claim, Leased{lease}});
    by_client_.insert_or_assign(client, lease.address);
    changes.emplace_back(PutLease{lease});
    return changes;
}

std::optional<LeaseChange> LeaseTable::end_lease(Ipv4Address address, TimePoint now) {
    if (live_lease_at(address, now) == nullptr) return std::nullopt;
    Binding binding = bindings_.at(address);
    Lease& lease = std::get<Leased>(binding.state).lease;  // a live lease is never behind an offer
    lease.expires = now;
    PutLease change{lease};
    const ClientKey client = binding.client;
    erase(address);
    put(address, std::move(binding));
    by_client_.insert_or_assign(client, address);
    return change;
}

std::optional<LeaseChange> LeaseTable::quarantine(Ipv4Address address, TimePoint now) {
    const auto found = bindings_.find(address);
    if (found == bindings_.end() || !pool_.contains(address)) return std::nullopt;
    std::optional<LeaseChange> change;
    if (lease_at(address) != nullptr) change = RemoveLease{address};
    const ClientKey client = found->second.client;
    erase(address);
    put(address, Binding{client, Claim::stranger, Quarantine{now + quarantine_time}});
    const std::size_t resting_max = std::max<std::size_t>(1, usable_ / 2);
    while (resting_.size() > resting_max) erase(resting_.begin()->second);
    return change;
}

void LeaseTable::restore(const Lease& lease) {
    const ClientKey client = ClientKey::of_client_id(lease.client_id, lease.mac);
    const Claim claim = lease.board.empty() ? Claim::stranger : Claim::board;
    erase(lease.address);
    put(lease.address, Binding{client, claim, Leased{lease}});
    // Of two addresses of one client, the later lease is the one to offer again.
    const auto other = address_of(client);
    const Lease* other_lease = other ? lease_at(*other) : nullptr;
    if (other_lease == nullptr || other_lease->expires <= lease.expires) {
        by_client_.insert_or_assign(client, lease.address);
    }
}

void LeaseTable::end_offer(Ipv4Address address) {
    Binding binding = bindings_.at(address);
    OfferOpen offer = std::move(std::get<OfferOpen>(binding.state));
    const ClientKey client = binding.client;
    erase(address);
    if (offer.previous) {
        binding.state = Leased{std::move(*offer.previous)};
        put(address, std::move(binding));
        by_client_.insert_or_assign(client, address);
    } else if (offer.leaving) {
        const auto kept = bindings_.find(*offer.leaving);
        if (kept == bindings_.end() || kept->second.client != client) return;
        by_client_.insert_or_assign(client, *offer.leaving);
    }
}

void LeaseTable::withdraw_offer(const ClientKey& client) {
    const auto address = address_of(client);
    if (!address) return;
    const Binding& binding = bindings_.at(*address);
    if (std::holds_alternative<OfferOpen>(binding.state)) end_offer(*address);
}

void LeaseTable::expire(TimePoint now) {
    while (!offers_.empty() && offers_.begin()->first + offer_hold <= now) {
        end_offer(offers_.begin()->second);
    }
    while (!resting_.empty() && resting_.begin()->first <= now) erase(resting_.begin()->second);
}

std::optional<TimePoint> LeaseTable::next_deadline() const {
    std::optional<TimePoint> next;
    if (!offers_.empty()) next = offers_.begin()->first + offer_hold;
    if (!resting_.empty()) {
        next = next ? std::min(*next, resting_.begin()->first) : resting_.begin()->first;
    }
    return next;
}

std::vector<Lease> LeaseTable::live_leases(TimePoint now) const {
    std::vector<Lease> out;
    for (const auto& [address, binding] : bindings_) {
        const Lease* lease = live_lease_at(address, now);
        if (lease != nullptr) out.push_back(*lease);
    }
    std::sort(out.begin(), out.end(), [](const Lease& a, const Lease& b) {
        return a.address < b.address;
    });
    return out;
}

bool LeaseTable::over(const Binding& binding, TimePoint now) const {
    if (const auto* leased = std::get_if<Leased>(&binding.state)) {
        return leased->lease.expires <= now;
    }
    if (const auto* offer = std::get_if<OfferOpen>(&binding.state)) {
        return offer->since + offer_hold <= now;
    }
    return std::get<Quarantine>(binding.state).until <= now;
}

LeaseTable::TimeIndex& LeaseTable::index_of(const Binding& binding) {
    if (std::holds_alternative<Leased>(binding.state)) return leased_;
    if (std::holds_alternative<OfferOpen>(binding.state)) return offers_;
    return resting_;
}

TimePoint LeaseTable::index_time(const Binding& binding) {
    if (const auto* leased = std::get_if<Leased>(&binding.state)) return leased->lease.expires;
    if (const auto* offer = std::get_if<OfferOpen>(&binding.state)) return offer->since;
    return std::get<Quarantine>(binding.state).until;
}

void LeaseTable::put(Ipv4Address address, Binding binding) {
    const bool pooled = pool_.contains(address);
    // A reserved address never goes to anyone else, so its lease need not be found when it is over.
    if (pooled || !std::holds_alternative<Leased>(binding.state)) {
        index_of(binding).emplace(index_time(binding), address);
    }
    if (pooled) {
        ++bound_;
        cursor_ = address.value() - pool_.range->from.value() + 1;
        if (binding.claim == Claim::board) ++board_bound_;
    }
    bindings_.insert_or_assign(address, std::move(binding));
}

void LeaseTable::erase(Ipv4Address address) {
    const auto found = bindings_.find(address);
    if (found == bindings_.end()) return;
    const Binding& binding = found->second;
    index_of(binding).erase({index_time(binding), address});
    if (pool_.contains(address)) {
        --bound_;
        if (binding.claim == Claim::board) --board_bound_;
    }
    const auto of_client = by_client_.find(binding.client);
    if (of_client != by_client_.end() && of_client->second == address) by_client_.erase(of_client);
    bindings_.erase(found);
}

std::size_t LeaseTable::free_count() const {
    return usable_ - bound_;
}

std::optional<Ipv4Address> LeaseTable::never_used() const {
    if (free_count() == 0) return std::nullopt;
    const std::uint32_t first = pool_.range->from.value();
    const std::uint32_t count = last_of(*pool_.range).value() - first + 1;
    for (std::uint32_t i = 0; i < count; ++i) {
        const Ipv4Address candidate(first + (cursor_ + i) % count);
        if (pool_.contains(candidate) && !bindings_.contains(candidate)) return candidate;
    }
    return std::nullopt;
}

std::optional<Ipv4Address> LeaseTable::longest_over(TimePoint now) const {
    if (leased_.empty() || leased_.begin()->first > now) return std::nullopt;
    return leased_.begin()->second;
}

std::optional<Ipv4Address> LeaseTable::reclaimable_offer(Claim claim, TimePoint now) const {
    std::size_t looks = 0;
    for (const auto& [since, address] : offers_) {
        if (++looks > reclaim_looks_max) break;
        if (!pool_.contains(address)) continue;
        // A stranger must wait for a stranger's offer to grow old; a board need not, and nobody
        // takes a board's.
        if (bindings_.at(address).claim == Claim::board) continue;
        if (claim == Claim::board || since + offer_reclaim_after <= now) return address;
    }
    return std::nullopt;
}

}  // namespace bramble::dhcp
