// Which address belongs to whom: leases, open offers, quarantine, and the choice of a pool address.
// It refuses to know messages, boards and reservations beyond "not in the pool".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/time_point.hpp"
#include "services/dhcp/client_key.hpp"
#include "services/dhcp/lease.hpp"

namespace bramble::dhcp {

// An address stays with the client that it was offered to for this long without a request.
inline constexpr Duration offer_hold = std::chrono::seconds(60);
// When the pool is full, an offer older than this may go to the next one who asks.
inline constexpr Duration offer_reclaim_after = std::chrono::seconds(10);
// An address that somebody else was found on rests for this long, at most half of the pool at once.
inline constexpr Duration quarantine_time = std::chrono::minutes(10);
// Of a larger pool only this many addresses are used.
inline constexpr std::size_t pool_addresses_max = 65536;

// Addresses that the server may give to anyone.
struct Pool {
    std::optional<Ipv4Range> range;
    std::unordered_set<Ipv4Address> excluded;  // reserved, or a station's own
    std::size_t kept_for_boards = 0;  // strangers leave this many, less what boards hold already

    bool contains(Ipv4Address address) const;
};

// Whose claim on the pool is stronger when it is nearly full.
enum class Claim : std::uint8_t { stranger, board };

struct Choice {
    Ipv4Address address;
    bool fresh = false;      // the client has not held it before: worth a probe
    bool reclaimed = false;  // somebody else's unanswered offer
};

class LeaseTable {
public:
    // Bindings outside the new pool stay until they end.
    void set_pool(Pool pool);

    const Pool& pool() const { return pool_; }

    // The lease on `address`, over or not; nullptr: none.
    const Lease* lease_at(Ipv4Address address) const;

    // The lease on `address` if it is not over.
    const Lease* live_lease_at(Ipv4Address address, TimePoint now) const;

    // The address that the client has, had last, or is offered.
    std::optional<Ipv4Address> address_of(const ClientKey& client) const;

    // Who has `address` by lease or open offer; nothing when free, quarantined or over.
    std::optional<ClientKey> holder_of(Ipv4Address address, TimePoint now) const;

    // Whether `client` may be given the pool address `address` now: free, its own, or nobody's any
    // more.
    bool available(Ipv4Address address, const ClientKey& client, TimePoint now) const;

    // RFC 2131 §4.3.1: the client's current address, its previous one, the one it asks for, a never
    // used one, the one whose lease is over longest. Nothing: the pool has none. Records nothing.
    std::optional<Choice> choose(
        const ClientKey& client, std::optional<Ipv4Address> wanted, Claim claim, TimePoint now
    ) const;

    // Records an offer of a pool address until now + offer_hold; a lease of the client's own there
    // stays as it is.
    void offer(Ipv4Address address, const ClientKey& client, Claim claim, TimePoint now);

    // Takes back what `client` is offered and has not asked for.
    void withdraw_offer(const ClientKey& client);

    // Records an acknowledged lease, on any address, and tells what the store must do: keep the
    // lease, and forget the address that the client leaves.
    std::vector<LeaseChange> commit(const Lease& lease, const ClientKey& client, Claim claim);

    // Ends the lease on `address` (release, or a refusal that its client heeds) but remembers whose
    // it was. Nothing: no lease there that is not over.
    std::optional<LeaseChange> end_lease(Ipv4Address address, TimePoint now);

    // Rests a pool address; the change to store when a lease was on it. At most half of the pool
    // rests, the longest resting is let go first.
    std::optional<LeaseChange> quarantine(Ipv4Address address, TimePoint now);

    // Takes over a lease of an earlier run.
    void restore(const Lease& lease);

    // Lets go of offers and quarantine that are over.
    void expire(TimePoint now);

    // When expire() has something to do next.
    std::optional<TimePoint> next_deadline() const;

    std::vector<Lease> live_leases(TimePoint now) const;

    std::size_t quarantined() const { return resting_.size(); }

private:
    struct Leased {
        Lease lease;
    };

    struct OfferOpen {
        TimePoint since;
        std::optional<Lease> previous;       // the same client's, over
        std::optional<Ipv4Address> leaving;  // what the client has and may not keep
    };

    struct Quarantine {
        TimePoint until;
    };

    struct Binding {
        ClientKey client;
        Claim claim = Claim::stranger;
        std::variant<Leased, OfferOpen, Quarantine> state;
    };

    using TimeIndex = std::set<std::pair<TimePoint, Ipv4Address>>;

    bool over(const Binding& binding, TimePoint now) const;
    TimeIndex& index_of(const Binding& binding);
    static TimePoint index_time(const Binding& binding);
    void put(Ipv4Address address, Binding binding);
    void end_offer(Ipv4Address address);
    void leave(Ipv4Address address, const ClientKey& client, std::vector<LeaseChange>& changes);
    void erase(Ipv4Address address);
    std::size_t free_count() const;
    std::optional<Ipv4Address> never_used() const;
    std::optional<Ipv4Address> longest_over(TimePoint now) const;
    std::optional<Ipv4Address> reclaimable_offer(Claim claim, TimePoint now) const;

    Pool pool_;
    std::size_t usable_ = 0;       // addresses in the pool
    std::size_t bound_ = 0;        // of those, with a binding
    std::size_t board_bound_ = 0;  // of those, with a board's
    std::unordered_map<Ipv4Address, Binding> bindings_;
    std::unordered_map<ClientKey, Ipv4Address> by_client_;
    TimeIndex leased_;          // by the lease's end, pool addresses only
    TimeIndex offers_;          // by the offer's beginning
    TimeIndex resting_;         // by the quarantine's end
    std::uint32_t cursor_ = 0;  // where never_used() begins to look
};

}  // namespace bramble::dhcp
