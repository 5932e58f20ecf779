// The kinds of source that need no building: two directories, a disk image, a
// tar archive. It refuses to know
// fleet files and the store.
#pragma once

#include "provisioning/image/ingest.hpp"

namespace bramble::image {

bool is_url(const fleet::FileSource& source);

// Whether the source is something that this version unpacks. Errors name the way out: other
// machines' disks.
[[nodiscard]] Result<void> check_archive(const fleet::FileSource& source);

[[nodiscard]] Result<Ingested> ingest_directory(
    const fleet::DirectorySource& source, const Workshop& workshop
);

// A disk image (see disk_image.hpp), or an archive, which holds either the two directories boot/
// and root/ and nothing else, or a root tree (which has etc/ or usr/) with its boot files in
// boot/firmware or boot, or boot files alone.
[[nodiscard]] Result<Ingested> ingest_file(
    const fleet::FileSource& source, const Workshop& workshop
);

// The one directory below lib/modules; empty when there are none or several.
std::string kernel_release_of(host::Host& host, const Path& root);

}  // namespace bramble::image
