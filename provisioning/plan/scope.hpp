// What of a fleet file an apply has to do with: profiles in use, and wishes that this version does
// not act upon. It refuses to know the store.
#pragma once

#include <vector>

#include "config/fleet/fleet.hpp"
#include "provisioning/plan/observed.hpp"

namespace bramble::plan {

// Profiles that a board has or that unknown boards are enrolled with, each once, in the file's
// order.
std::vector<const fleet::Profile*> profiles_in_use(const fleet::Fleet& fleet);

// What the fleet asks of profiles in use and this version, or the store as observed, does not do:
// said at once instead of being left out silently.
std::vector<Problem> unsupported(const fleet::Fleet& fleet, const Observed& observed);

}  // namespace bramble::plan
