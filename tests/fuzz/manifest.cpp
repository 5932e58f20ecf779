// Any text as a manifest: it is refused with a place, or read, and what is read is written and read
// back as the same value.
#include "config/layout/manifest.hpp"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::layout;
    const auto manifest = parse_manifest({reinterpret_cast<const char*>(data), size});
    if (!manifest) {
        require(manifest.error().message.starts_with("manifest: "));
        return 0;
    }
    const auto again = parse_manifest(write_manifest(*manifest));
    require(again.has_value() && *again == *manifest);
    for (const BoardEntry& board : manifest->boards) {
        require(manifest->find_board(board.name) == &board);
        for (const auto& [path, file] : board.files)
            require(is_boot_path(path) && manifest->find_file(board, path) == &file);
    }
    return 0;
}
