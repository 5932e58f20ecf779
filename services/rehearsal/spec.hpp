// The virtual board that stands for a board of a manifest: its model, its identity and how old its
// boot loader is. It refuses to know what the board is served.
#pragma once

#include <optional>

#include "config/layout/manifest.hpp"
#include "services/virtual_board/board_spec.hpp"

namespace bramble::rehearsal {

// Whether a board of this model can have this firmware.
bool is_firmware_of(const virtual_board::Profile& firmware, BoardModel model);

// Identity that the manifest does not have is made up, the same every time. `firmware` unset: the
// usual one.
virtual_board::BoardSpec spec_of(
    const layout::BoardEntry& board, const std::optional<virtual_board::Profile>& firmware = {}
);

}  // namespace bramble::rehearsal
