// Events as log lines: a few words, then name=value pairs, mac= and serial= wherever they are
// known. It refuses to know where the lines go.
#pragma once

#include <spdlog/common.h>

#include <string>

#include "services/dhcp/event.hpp"
#include "services/tftp/engine.hpp"

namespace bramble::program {

// The level first: most lines are for debugging, and are never written.
spdlog::level::level_enum level_of(const dhcp::Event& event);
spdlog::level::level_enum level_of(const tftp::TransferEvent& event);

std::string log_line(const dhcp::Event& event);
std::string log_line(const tftp::TransferEvent& event);

// What an operator wants to know of DHCP that is in no board's story: who asked without being in
// the fleet, and that another server answers. Empty: nothing.
std::string notice_of(const dhcp::Event& event);

// What comes from the network is shown without control characters and quotes, at most 120 bytes of
// it, so that no board can forge a line.
std::string shown(std::string_view text);

}  // namespace bramble::program
