// Every generation of a store with what it changed and who uses it, for the command and the page.
// It refuses to show it.
#pragma once

#include "config/fleet/fleet.hpp"
#include "config/types/result.hpp"
#include "provisioning/plan/generations_text.hpp"

namespace bramble::program {

[[nodiscard]] Result<plan::GenerationList> list_generations(const fleet::Fleet& fleet);

}  // namespace bramble::program
