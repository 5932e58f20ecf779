// A disk image turned into boot files and a root tree: its FAT partition and its ext, squashfs or
// erofs partition. It refuses to know fleet files and the store.
#pragma once

#include "provisioning/image/ingest.hpp"

namespace bramble::image {

// FAT is read by mtools and ext by libext2fs, without mounts and loop devices; squashfs and erofs
// by a loop mount in a mount namespace of its own. Errors name the file.
[[nodiscard]] Result<Ingested> ingest_disk_image(const Path& file, const Workshop& workshop);

}  // namespace bramble::image
