// A fleet cut down to a few of its boards, for an apply of these alone. It refuses to know how they
// are made.
#pragma once

#include <set>
#include <string>

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"
#include "provisioning/plan/observed.hpp"

namespace bramble::apply {

// The boards of `only` with profiles, images and kernels as they are; all of it for none. Errors: a
// board that the fleet does not have.
[[nodiscard]] Result<fleet::Fleet> part_of(
    const fleet::Fleet& fleet, const std::set<std::string>& only
);

// All other boards, of the whole fleet and of the current generation, keep what they have, be it
// nothing; for an empty `only` none does.
void hold_others(
    plan::Observed& observed, const fleet::Fleet& fleet, const std::set<std::string>& only
);

}  // namespace bramble::apply
