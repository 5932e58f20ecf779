// What moving sources of images mean: a file behind a URL by its sum, a Debian suite by the moment
// at which it was looked at and the packages that it had then. It refuses to know boards and
// generations.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/types/digest.hpp"
#include "config/types/result.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/kernel/pins.hpp"
#include "provisioning/plan/observed.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

// What of this image's source moves; none for one that stands still (a path, a sum).
std::optional<std::string> moving_wish(const fleet::Image& image);

// The image with its URL's pinned sum as its own, when it has one.
fleet::Image pinned_image(const fleet::Image& image, const kernel::Pins& pins);

// image::source_key of it, pinned: another pin is another image.
[[nodiscard]] Result<Digest> pinned_key(
    const fleet::Image& image, const kernel::Pins& pins, host::Host& host
);

// Wishes of images in use that are not pinned yet, or were for something else.
std::vector<plan::Problem> unpinned_images(const fleet::Fleet& fleet, const kernel::Pins& pins);

// Fetches what is not pinned, or all with `update`, and writes the sums beside the fleet file. A
// file that was fetched stays for the ingest.
[[nodiscard]] Result<void> pin_images(store::Changes& changes, const PinStep& step);

// The packages that a root was built of against those of the pin; the first build fills it. Errors:
// the sources have others by now.
[[nodiscard]] Result<void> hold_to_packages(
    const fleet::Fleet& fleet, const fleet::Image& image, const host::Path& root, host::Host& host
);

// "name version" of what dpkg has installed, sorted, one a line.
std::string packages_in(std::string_view dpkg_status);

// What `bramble check` says of fleet.lock: not readable, pins of what the fleet has not, pins of
// something else than what is asked for.
std::vector<plan::Problem> lock_problems(const fleet::Fleet& fleet, host::Host& host);

}  // namespace bramble::apply
