// Whose a NAS's directory is: one store's alone, for two would write into each other's trees and
// remove them. It refuses to know what is written there.
#pragma once

#include <string>

#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/nfs/nas.hpp"

namespace bramble::apply {

// Takes the export for this store the first time. Errors: it is another's, the NAS's, the store's.
[[nodiscard]] Result<void> claim_nas(
    host::Host& host, const layout::StorePaths& paths, nfs::Nas& nas, const std::string& place
);

}  // namespace bramble::apply
