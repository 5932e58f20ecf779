// Kernels, initramfs and short texts among boot files, opened and looked at for a linter. It
// refuses to judge what it finds.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/types/result.hpp"
#include "provisioning/boot/file_facts.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

using host::Path;

// Beyond it a boot file is neither: it is not read.
inline constexpr std::uint64_t fact_file_bytes_max = 256U << 20U;

// Of one file, by the name that it has in the boot tree. Errors are the machine's; damaged bytes
// are an answer.
[[nodiscard]] Result<boot::FileFacts> read_file_facts(
    host::Host& host, const std::string& name, const Path& file
);

// Of all of an image's boot files. A kernel that does not carry its configuration is known by the
// root's boot/config-RELEASE.
[[nodiscard]] Result<boot::BootFacts> read_boot_facts(
    host::Host& host, const std::map<std::string, Path>& files, const std::optional<Path>& root
);

}  // namespace bramble::image
