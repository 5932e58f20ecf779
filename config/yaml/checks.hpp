// What a fleet must be beyond each value on its own: one part fits the other. It refuses to know
// how the values were read.
#pragma once

#include <string>

#include "config/fleet/fleet.hpp"
#include "config/yaml/reading.hpp"

namespace bramble::yaml {

struct Checking {
    fleet::Fleet& fleet;
    const Places& places;
    Diagnostics& diagnostics;

    // Whether the file says something at `path`; what it did not say, or not rightly, needs no
    // check.
    bool said(const std::string& path) const { return places.find(path).has_value(); }

    // Where it says so; `otherwise` when it does not.
    fleet::SourceLocation at(const std::string& path, fleet::SourceLocation otherwise) const {
        return places.find(path).value_or(otherwise);
    }
};

// Addresses: pool, router and name servers against the network and each other.
void check_network(Checking& checking);

// Names that point to images, kernels and profiles; kernels against images; a root mode against
// what the image has. A profile that says no root mode, and whose image has no root, gets none.
void check_references(Checking& checking);

// Boards: who is told from whom by what, addresses, models against profiles.
void check_boards(Checking& checking);

}  // namespace bramble::yaml
