// What each source address is allowed: requests per second and transfers at once. It refuses to
// know boards: a source is an address and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/time_point.hpp"
#include "services/tftp/slot_table.hpp"

namespace bramble::tftp {

// So many per second on average and so many at once.
class TokenBucket {
public:
    // A bucket begins full.
    bool take(unsigned per_second, unsigned burst, TimePoint now);
    bool full(unsigned per_second, unsigned burst, TimePoint now) const;

private:
    double filled(unsigned per_second, unsigned burst, TimePoint now) const;

    double missing_ = 0;  // tokens, as of `at_`
    TimePoint at_{};
};

// A booting Pi asks 60 times in four seconds, in bursts a few milliseconds apart; its worst known
// loop is one request every 16 ms (fact sheet, rule 9). Both fit.
struct ClientLimits {
    unsigned requests_per_second = 100;
    unsigned request_burst = 200;
    unsigned transfers_per_client_max = 64;
    std::size_t clients_max = 16'384;  // addresses remembered at once

    friend bool operator==(const ClientLimits&, const ClientLimits&) = default;
};

class Clients {
public:
    explicit Clients(const ClientLimits& limits);

    // Takes one token of `address`; false: it has none left, or clients_max addresses are
    // remembered and those looked at are in use.
    bool admit(Ipv4Address address, TimePoint now);

    // The client of `address`; no_slot: it is not remembered.
    Slot find(Ipv4Address address) const;

    std::size_t transfers(Slot client) const { return clients_[client].transfers; }

    // The transfers of a client, newest first; no_slot ends the list.
    Slot newest_transfer(Slot client) const { return clients_[client].head; }

    Slot older_transfer(Slot transfer) const { return links_[transfer].older; }

    // `client` must come from find() after an admit() at this same instant.
    void add_transfer(Slot client, Slot transfer);
    void remove_transfer(Slot transfer);

    void set_limits(const ClientLimits& limits) { limits_ = limits; }

    std::size_t size() const { return by_address_.size(); }

private:
    struct Client {
        Ipv4Address address;
        TokenBucket bucket;
        std::size_t transfers = 0;
        Slot head = no_slot;
    };

    struct Link {
        Slot client = no_slot;
        Slot older = no_slot;
        Slot newer = no_slot;
    };

    Slot claim(Ipv4Address address, TimePoint now);

    ClientLimits limits_;
    std::vector<Client> clients_;
    std::vector<Link> links_;  // by transfer
    SlotTable by_address_;
    std::size_t hand_ = 0;  // where the search for an idle client goes on
};

}  // namespace bramble::tftp
