// What the DHCP and TFTP servers report, in the words of a board's story. It refuses to keep
// anything.
#pragma once

#include <optional>

#include "services/boards/event.hpp"
#include "services/dhcp/event.hpp"
#include "services/tftp/engine.hpp"

namespace bramble::boards {

// None: it does not belong to a boot (a release, a conflict).
std::optional<Event> translate(const dhcp::Event& event);

Event translate(const tftp::TransferEvent& event);

}  // namespace bramble::boards
