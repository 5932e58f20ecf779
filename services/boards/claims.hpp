// Which MACs asked as one board's firmware of late: more than one is more than one board. It
// refuses to know boots, which begin and end while both of them live.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "config/types/mac_address.hpp"
#include "config/types/time_point.hpp"

namespace bramble::boards {

class Claims {
public:
    static constexpr std::size_t macs_max = 4;  // the longest silent is forgotten first
    // A board that fails may be silent for a quarter of an hour, and one that runs for as long as
    // it likes.
    static constexpr Duration memory = std::chrono::hours(1);

    void add(MacAddress mac, TimePoint now);

    // Whoever asked latest, since `since`.
    std::optional<MacAddress> latest(TimePoint since) const;

    // Likewise, of those that are not `mac`.
    std::optional<MacAddress> other_than(MacAddress mac, TimePoint since) const;

    template <typename Predicate>
    void forget_if(const Predicate& wanted) {
        std::erase_if(all_, [&](const Claim& claim) { return wanted(claim.mac); });
    }

private:
    struct Claim {
        MacAddress mac;
        TimePoint at{};
    };

    std::vector<Claim> all_;  // the longest silent first
};

}  // namespace bramble::boards
