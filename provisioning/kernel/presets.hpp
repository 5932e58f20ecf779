// The named bundles of options that fleet files ask for by name; each is a file below presets/. It
// refuses to know which kernels take them.
#pragma once

#include <string_view>

namespace bramble::kernel {

// The fragment of .config that `preset` stands for; empty for a name that is not known.
std::string_view preset_fragment(std::string_view preset);

}  // namespace bramble::kernel
