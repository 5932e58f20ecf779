// Why a board stopped, in words that an operator can act on, from what was and was not seen. It
// refuses to ask anybody.
#pragma once

#include <string>

#include "services/boards/boot.hpp"

namespace bramble::boards {

// One sentence on what was waited for, and what to look at.
std::string diagnose(const Boot& boot);

}  // namespace bramble::boards
