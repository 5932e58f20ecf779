// Where a step that makes an image or its root may work: an empty place in the store, and a log of
// its own that stays. It refuses to know what is made.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
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

// What later plans want to know of a step: how long it took and what it was given.
struct Making {
    std::string step;  // as plan::made_by says it
    std::chrono::system_clock::time_point begun;
    Inputs inputs{};
};

// The tree, if there is one, goes to its place in the store; then the record, by which the image
// counts as there.
[[nodiscard]] Result<plan::ImageRecord> keep_image(
    store::Changes& changes,
    plan::ImageRecord record,
    const std::optional<host::Path>& root,
    Making making
);

}  // namespace bramble::apply
