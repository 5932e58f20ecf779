// The step that turns a copy of an image's base root into what `customize:` asks for, as a base
// root of its own. It refuses to know boards and generations.
#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

#include "config/fleet/fleet.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

struct CustomizeStep {
    const fleet::Fleet& fleet;
    const fleet::Image& image;
    const plan::ImageRecord& base;  // of the image as its source has it
    Digest key;                     // as it was observed
    Inputs inputs;                  // to be kept with the record
    std::function<void(std::string_view)> progress;
    std::stop_token stop;
};

// The base root itself is never touched, and the record is written last: killed anywhere this
// leaves a copy in staging, which the next run removes. Boot files stay those of the base.
[[nodiscard]] Result<plan::ImageRecord> customize_image(
    store::Changes& changes, const CustomizeStep& step
);

}  // namespace bramble::apply
