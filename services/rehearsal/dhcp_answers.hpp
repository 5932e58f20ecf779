// What this program's DHCP server tells a board of a generation, in its true bytes: asked as the
// board's firmware asks. It refuses to know sockets and whether the generation is published.
#pragma once

#include <optional>
#include <string>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "services/dhcp/message.hpp"

namespace bramble::rehearsal {

struct DhcpAnswers {
    std::string client;  // who asked: "pi4-2023", "U-Boot"
    std::optional<dhcp::Message> offer;
    std::optional<dhcp::Message> ack;  // none in proxy mode: another server leases
    std::string held;                  // why nothing was offered
};

// `board` is one of the manifest's. A board without a MAC or serial gets the one that rehearsals
// make up for it.
DhcpAnswers ask_dhcp(
    const fleet::Fleet& fleet, const layout::Manifest& manifest, const layout::BoardEntry& board
);

}  // namespace bramble::rehearsal
