// What disk images are called, in any case of letters. It refuses to look at what is in them.
#pragma once

#include <string_view>

namespace bramble::image {

bool is_plain_disk_image(std::string_view name);  // ".img", ".raw"
bool is_zip(std::string_view name);
// A plain one, the same with a compression behind it, or a zip.
bool is_disk_image(std::string_view name);

}  // namespace bramble::image
