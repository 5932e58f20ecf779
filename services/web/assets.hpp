// The status page's files, part of the program: it works offline and needs no folder of its own. It
// refuses to know paths beyond a file's name.
#pragma once

#include <span>
#include <string_view>

namespace bramble::web {

struct EmbeddedFile {
    std::string_view name;  // "app.js"
    std::string_view bytes;
    std::string_view sha256;  // hex, for the ETag
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace bramble::web
