// The shell script that runs a command with another architecture's programs (foreign.sh), as text.
// It refuses to know what is run.
#pragma once

#include <string_view>

namespace bramble::image {

extern const std::string_view foreign_script;

}  // namespace bramble::image
