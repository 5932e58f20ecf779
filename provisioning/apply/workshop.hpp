// Where a step that makes an image or its root may work: an empty place in the store, and a log of
// its own that stays. It refuses to know what is made.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "provisioning/image/ingest.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

// The log is logs/<name>.log in the store, begun anew.
[[nodiscard]] Result<image::Workshop> open_workshop(
    store::Changes& changes,
    const std::string& name,
    std::function<void(std::string_view)> progress,
    std::stop_token stop
);

}  // namespace bramble::apply
