// What all steps of a plan take together, and whether the store has room for it. It refuses to know
// how a step is carried out.
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

// Of the roots that are made, in words: one line a kind.
std::vector<std::string> costs_of(
    const std::vector<Step>& steps, const fleet::Fleet& fleet, const Observed& observed
);

// "172.16.1.9:/volume1/bramble"
std::string place_of(const fleet::NfsExternal& nas);

}  // namespace bramble::plan
