// The shell scripts that run a command with another architecture's programs (foreign.sh) and inside
// a root (enter_root.sh), as text. It refuses to know what is run.
#pragma once

#include <string_view>

namespace bramble::image {

extern const std::string_view foreign_script;
extern const std::string_view enter_script;

}  // namespace bramble::image
