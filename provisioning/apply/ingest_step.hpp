// The step that turns one image into objects, a base root and a record. It refuses to know boards
// and generations.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

struct IngestStep {
    const fleet::Fleet& fleet;
    const fleet::Image& image;
    Digest key;                               // of the source as it was observed
    std::function<Result<Digest>()> key_now;  // likewise, once it has been read
    // Asked before anything is kept of it; may be empty.
    std::function<Result<void>(const host::Path& root)> accept;
    Inputs inputs;  // to be kept with the record
    std::function<void(std::string_view)> progress;
    std::stop_token stop;
};

// The record is written last: without it the image counts as missing and is made again. Errors
// also when the source changed meanwhile.
[[nodiscard]] Result<plan::ImageRecord> ingest_image(
    store::Changes& changes, const IngestStep& step
);

}  // namespace bramble::apply
