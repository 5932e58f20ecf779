// Where on another machine (nfs: external) a store's trees lie, and under which names they come and
// go. It refuses to know which are there.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/nfs/nas.hpp"

namespace bramble::apply {

// Beside the tree that is in use: half-made, and half taken apart.
inline constexpr std::string_view nas_making_prefix = ".new.";
inline constexpr std::string_view nas_leaving_prefix = ".gone.";

// As NfsExternal::place says it; none: this machine serves the roots.
std::optional<std::string> nas_place(const fleet::Fleet& fleet);

// Where a tree of the store lies below the export.
host::Path on_nas(const layout::StorePaths& paths, const host::Path& tree);

// By `open`, or nfs::Nas::open where that is unset. Errors: those of it.
[[nodiscard]] Result<std::unique_ptr<nfs::Nas>> open_nas(
    const nfs::NasOpener& open,
    const std::string& server,
    const host::Path& path,
    const std::stop_token& stop
);

}  // namespace bramble::apply
