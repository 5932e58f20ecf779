// Looks at this machine and at the boards' wire, as `bramble doctor` needs it. It refuses to judge
// what it sees.
#pragma once

#include "config/fleet/fleet.hpp"
#include "config/types/time_point.hpp"
#include "services/doctor/observation.hpp"

namespace bramble::program {

// Changes nothing; sends two DISCOVERs that ask every DHCP server on the wire for an offer and
// takes none. Takes `listen` and some seconds for exports that do not answer.
doctor::Observation look(const fleet::Fleet& fleet, const std::string& fleet_file, Duration listen);

}  // namespace bramble::program
