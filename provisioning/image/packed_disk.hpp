// A compressed disk image as a stream of pieces, in order. It refuses to know what is on the disk
// and where the pieces go.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

// Of the disk, and where it begins there. What lies between two pieces is zeros.
struct DiskPiece {
    std::string_view bytes;  // until the next call
    std::uint64_t offset = 0;
};

// Errors are what follows the file's name in a sentence: "is damaged or cut short (…)".
class PackedDisk {
public:
    virtual ~PackedDisk() = default;

    // Nothing: the end.
    [[nodiscard]] virtual Result<std::optional<DiskPiece>> next() = 0;
    // Bytes of the file.
    [[nodiscard]] virtual std::uint64_t bytes_read() const = 0;
};

// By its content: .xz by as many threads as there are processors, where it was written in blocks
// (xz -T, as Raspberry Pi OS is published); anything else that libarchive decompresses. By its
// name: a zip with one image in it.
[[nodiscard]] Result<std::unique_ptr<PackedDisk>> open_packed_disk(
    const host::Path& file, const std::stop_token& stop
);

}  // namespace bramble::image
