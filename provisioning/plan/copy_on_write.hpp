// How boards' roots come from their base on the store's filesystem, and what that costs. It refuses
// to know who makes them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "provisioning/plan/observed.hpp"

namespace bramble::plan {

// Whether files there can share blocks.
bool can_reflink(std::string_view filesystem);

// The profile's wish, or of `auto` the first of snapshot, reflink, overlay and copy that the store
// offers: never automatic. Neither snapshots nor overlays where another machine exports the store,
// which would not see the mounts that they need.
fleet::CopyOnWrite copy_on_write_of(
    const fleet::Fleet& fleet, const fleet::Profile& profile, const Observed& observed
);

// What the profile wishes and the store does not offer, with the remedy.
std::vector<Problem> copy_on_write_problems(
    const fleet::Fleet& fleet, const fleet::Profile& profile, const Observed& observed
);

std::string_view name_of(fleet::CopyOnWrite kind);

// What one root takes: for itself, and for each GB of its base. Measured: tests/bench/README.md,
// "Staging".
struct CopyCost {
    double seconds, bytes;
    double seconds_per_gigabyte, bytes_per_gigabyte;
};

CopyCost cost_of(fleet::CopyOnWrite kind);

// "6 roots by reflink: …": what so many of them cost, in words; of a plain copy also why it is one.
std::string describe_roots(
    fleet::CopyOnWrite kind, std::size_t count, const fleet::Fleet& fleet, const Observed& observed
);

}  // namespace bramble::plan
