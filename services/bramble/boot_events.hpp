// What the DHCP and TFTP cores saw, in the words of boot stories. It refuses to know what a story
// makes of it.
#pragma once

#include <optional>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "services/boards/event.hpp"
#include "services/dhcp/event.hpp"
#include "services/tftp/engine.hpp"

namespace bramble::program {

// Nothing for events that tell no story (addresses learned, other servers).
std::optional<boards::Event> boot_event(const dhcp::Event& event);

// Nothing for a transfer of no board.
std::optional<boards::Event> boot_event(const tftp::TransferEvent& event);

// Everyone whose stories are kept.
std::vector<boards::Identity> identities_of(const fleet::Fleet& fleet);

}  // namespace bramble::program
