// What an image's `customize:` will do, in a few words. It refuses to know how it is done.
#pragma once

#include <string>

#include "config/fleet/fleet.hpp"

namespace bramble::plan {

// "removes 1 package, installs fio and libssl-dev, writes 2 files, makes user lab, enables ssh,
// runs 3 commands".
std::string describe(const fleet::Customization& customize);

}  // namespace bramble::plan
