#include "services/boards/strangers.hpp"

#include <algorithm>
#include <iterator>

namespace bramble::boards {

void Strangers::on_event(const Event& event) {
    const bool asks = std::holds_alternative<AskedForAddress>(event.what);
    const auto* held = std::get_if<Held>(&event.what);
    if ((!asks && held == nullptr) || (!event.who.mac && !event.who.serial)) return;
    auto found = find(event.who);
    if (found == all_.end()) {
        if (most_ == 0) return;
        found = add(event);
    }
    if (event.who.serial) found->who.serial = event.who.serial;
    if (!event.who.kind.empty()) found->who.kind = event.who.kind;
    found->last_seen = event.at;
    if (asks) ++found->requests;
    if (held != nullptr) found->reason = held->reason;
    all_.splice(all_.end(), all_, found);
}

void Strangers::forget(const std::vector<Identity>& boards) {
    for (auto place = all_.begin(); place != all_.end();) {
        const bool known = std::any_of(boards.begin(), boards.end(), [&](const Identity& who) {
            return (who.mac && who.mac == place->who.mac) ||
                   (who.serial && who.serial == place->who.serial);
        });
        place = known ? erase(place) : std::next(place);
    }
}

Strangers::Place Strangers::find(const Identity& who) {
    if (who.mac) {
        const auto found = by_mac_.find(*who.mac);
        return found == by_mac_.end() ? all_.end() : found->second;
    }
    return std::find_if(all_.begin(), all_.end(), [&](const Stranger& stranger) {
        return stranger.who.serial == who.serial;
    });
}

Strangers::Place Strangers::add(const Event& event) {
    if (all_.size() >= most_) erase(all_.begin());
    const Place place = all_.insert(all_.end(), {event.who, {}, event.at, event.at, 0});
    if (event.who.mac) by_mac_.emplace(*event.who.mac, place);
    return place;
}

Strangers::Place Strangers::erase(Place place) {
    if (place->who.mac) by_mac_.erase(*place->who.mac);
    return all_.erase(place);
}

}  // namespace bramble::boards
