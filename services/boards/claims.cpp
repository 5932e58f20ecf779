#include "services/boards/claims.hpp"

namespace bramble::boards {

void Claims::add(MacAddress mac, TimePoint now) {
    forget_if([&](MacAddress other) { return other == mac; });
    if (all_.size() >= macs_max) all_.erase(all_.begin());
    all_.push_back({mac, now});
}

std::optional<MacAddress> Claims::latest(TimePoint since) const {
    if (all_.empty() || all_.back().at < since) return std::nullopt;
    return all_.back().mac;
}

std::optional<MacAddress> Claims::other_than(MacAddress mac, TimePoint since) const {
    for (auto claim = all_.rbegin(); claim != all_.rend() && claim->at >= since; ++claim) {
        if (claim->mac != mac) return claim->mac;
    }
    return std::nullopt;
}

}  // namespace bramble::boards
