// What the fleet file's `customize:` asks for, done in a copy of an image's root: files, packages,
// users, units, commands. It refuses to know the store and the boards.
#pragma once

#include "provisioning/image/ingest.hpp"

namespace bramble::image {

// The digest of all that decides what becomes of the root: `base`, the key of the image as it was
// before, every setting, the bytes of the files. Errors name the file of the fleet that is missing.
[[nodiscard]] Result<Digest> customized_key(
    const fleet::Image& image, const Digest& base, host::Host& host
);

// Changes the tree at `root`, which is thrown away when this fails. In this order: files, packages
// that go, packages that come, users, the files once more (a package may have written its own),
// units, commands. Errors name the line of the fleet file and quote the output.
[[nodiscard]] Result<void> customize(
    const fleet::Fleet& fleet, const fleet::Image& image, const Path& root, const Workshop& workshop
);

}  // namespace bramble::image
