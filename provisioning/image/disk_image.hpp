// A disk image turned into boot files and a root tree: its FAT partition and its ext partition. It
// refuses to know fleet files and the store.
#pragma once

#include "provisioning/image/ingest.hpp"

namespace bramble::image {

// Neither mounts nor loop devices: FAT is read by mtools, ext by libext2fs. Errors name the file.
[[nodiscard]] Result<Ingested> ingest_disk_image(const Path& file, const Workshop& workshop);

}  // namespace bramble::image
