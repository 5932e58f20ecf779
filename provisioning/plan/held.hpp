// Boards of a new generation that keep what the current one gives them, to the byte. It refuses to
// know why they do.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/layout/manifest.hpp"

namespace bramble::plan {

// Lays the held boards' entries and trees over `wanted`; a tree that differs from the profile's new
// one goes by a name of its own, "lab@7". Trees of `incomplete` profiles, of which something is not
// made and which only held boards or none have, are taken from `current` too, or go. Answers with
// what cannot stand side by side: a serial, MAC or address that a held board and another one would
// both have.
std::vector<std::string> hold_boards(
    layout::Manifest& wanted,
    const std::optional<layout::Manifest>& current,
    const std::set<std::string>& held,
    const std::set<std::string>& incomplete
);

}  // namespace bramble::plan
