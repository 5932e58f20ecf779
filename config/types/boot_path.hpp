// What a path in a board's boot tree may look like. It refuses to know what lies there.
#pragma once

#include <string_view>

namespace bramble {

// Whether `path` may stand in a boot tree: 1 to 255 bytes (fact sheet 2.3), relative, no empty, "."
// or ".." part, no backslash (a separator to some clients, attack class T9), no control character.
bool is_boot_path(std::string_view path);

}  // namespace bramble
