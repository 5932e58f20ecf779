// What the steps of a plan cost: all together, against the room that the store has, and in words.
// It refuses to know what one step takes: see estimate.hpp.
#pragma once

#include <string>
#include <vector>

#include "provisioning/plan/plan.hpp"

namespace bramble::plan {

// Steps that wait for each other take the sum of their times, all of them at least what the
// processors can do side by side.
Total total_of(const std::vector<Step>& steps, const Observed& observed);

// Of a total that does not fit: no fatal problem, estimates are rough.
Problem lack_of_space(const Total& total);

// Of the roots that are made: one line a kind.
std::vector<std::string> describe_roots(
    const std::vector<Step>& steps, const fleet::Fleet& fleet, const Observed& observed
);

}  // namespace bramble::plan
