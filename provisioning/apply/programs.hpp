// Whether the programs that command lines name as init are in the roots that boards mount. It
// refuses to judge what it finds.
#pragma once

#include "config/fleet/fleet.hpp"
#include "config/layout/store_paths.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/plan/observed.hpp"

namespace bramble::apply {

// Fills base_programs, and board_programs of boards whose base has not what they ask for. A root
// that is not there yet, or that whoever asks may not look into, says nothing.
void look_at_programs(
    const fleet::Fleet& fleet,
    const layout::StorePaths& paths,
    host::Host& host,
    plan::Observed& observed
);

}  // namespace bramble::apply
