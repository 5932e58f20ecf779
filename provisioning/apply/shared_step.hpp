// The two steps that make one root tree many boards': the initramfs that mounts it, and each
// board's archive over it. It refuses to know plans and generations.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "provisioning/plan/compose.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

// Packs the initramfs of every kernel that the base root has modules of. Errors: those of
// root::build_initramfs, with the remedy.
[[nodiscard]] Result<layout::ObjectFile> make_initramfs(
    store::Changes& changes,
    const std::string& base,
    const std::function<void(std::string_view)>& progress
);

// Writes the board's identity into a layer over its base and stores that.
[[nodiscard]] Result<plan::PackedIdentity> pack_identity(
    store::Changes& changes, const std::string& board, const plan::WantedRoot& wanted
);

}  // namespace bramble::apply
