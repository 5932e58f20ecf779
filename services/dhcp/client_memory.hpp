// What a hardware address showed in earlier messages: the identity in option 97 and the last kind
// of DHCPDISCOVER. Old firmware leaves both out of its DHCPREQUEST and no kernel sends them (fact
// sheet 1.3, 1.8). It refuses to know leases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "config/types/mac_address.hpp"
#include "services/dhcp/machine_id.hpp"
#include "services/dhcp/recognition.hpp"

namespace bramble::dhcp {

inline constexpr std::size_t remembered_clients_max = 4096;

struct Remembered {
    std::optional<MachineId> machine;
    std::vector<std::byte> machine_option;  // option 97 as it came, to be echoed
    ClientKind last_discover = ClientKind::plain;
};

class ClientMemory {
public:
    // nullptr: never seen, or too many others since. Valid until the next change.
    const Remembered* find(MacAddress mac) const {
        const auto found = by_mac_.find(mac);
        return found == by_mac_.end() ? nullptr : &found->second->second;
    }

    // The entry of `mac`, made if need be, and now the youngest.
    Remembered& touch(MacAddress mac) {
        const auto found = by_mac_.find(mac);
        if (found != by_mac_.end()) {
            entries_.splice(entries_.begin(), entries_, found->second);
            return found->second->second;
        }
        if (entries_.size() == remembered_clients_max) {
            by_mac_.erase(entries_.back().first);
            entries_.pop_back();
        }
        entries_.emplace_front(mac, Remembered{});
        by_mac_.emplace(mac, entries_.begin());
        return entries_.front().second;
    }

    std::size_t size() const { return entries_.size(); }

private:
    using Entries = std::list<std::pair<MacAddress, Remembered>>;

    Entries entries_;  // youngest first
    std::unordered_map<MacAddress, Entries::iterator> by_mac_;
};

}  // namespace bramble::dhcp
