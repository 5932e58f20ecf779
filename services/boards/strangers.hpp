// Senders of requests for an address that the fleet does not know: a bounded table, of which the
// longest silent is forgotten first. It refuses to know what a board of the fleet is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "services/boards/event.hpp"

namespace bramble::boards {

struct Stranger {
    Identity who;
    std::string reason;  // why it was held, in words
    TimePoint first_seen{};
    TimePoint last_seen{};
    std::uint64_t requests = 0;
};

class Strangers {
public:
    explicit Strangers(std::size_t most) : most_(most) {}

    Strangers(Strangers&&) = default;
    Strangers& operator=(Strangers&&) = default;

    void on_event(const Event& event);

    // These are boards of the fleet now.
    void forget(const std::vector<Identity>& boards);

    // The longest silent first.
    const std::list<Stranger>& all() const { return all_; }

private:
    using Place = std::list<Stranger>::iterator;

    Place find(const Identity& who);
    Place add(const Event& event);
    Place erase(Place place);

    std::size_t most_;
    std::list<Stranger> all_;
    std::unordered_map<MacAddress, Place> by_mac_;
};

}  // namespace bramble::boards
