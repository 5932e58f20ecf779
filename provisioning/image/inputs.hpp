// What an image and its customisation are made of, by name, for telling what changed. It refuses to
// decide whether anything is to be made anew: source_key and customized_key do.
#pragma once

#include "config/fleet/fleet.hpp"
#include "config/types/digest.hpp"
#include "config/types/inputs.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::image {

// What cannot be seen is left out.
Inputs source_inputs(const fleet::Image& image, host::Host& host);

// Likewise; `base` is the key of the image as it was before.
Inputs customize_inputs(const fleet::Image& image, const Digest& base, host::Host& host);

}  // namespace bramble::image
