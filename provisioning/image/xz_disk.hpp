// An .xz file as a PackedDisk (liblzma, the .xz format 1.1.0). It refuses to know other formats.
#pragma once

#include <memory>
#include <stop_token>
#include <string_view>

#include "config/types/result.hpp"
#include "provisioning/host/posix.hpp"
#include "provisioning/image/packed_disk.hpp"

namespace bramble::image {

// Whether a file that begins so is an .xz: 6 bytes (section 2.1.1.1).
[[nodiscard]] bool begins_as_xz(std::string_view start);

// `file` is at its beginning.
[[nodiscard]] Result<std::unique_ptr<PackedDisk>> open_xz_disk(
    host::posix::Fd file, const std::stop_token& stop
);

}  // namespace bramble::image
