// The question that is asked before boot firmware is offered anything: may this board begin a boot
// now, and with what? An interface; it refuses to know generations and queues, which its
// implementers do.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "config/fleet/fleet.hpp"
#include "services/dhcp/event.hpp"

namespace bramble::dhcp {

struct BootCandidate {
    const Client& client;
    const fleet::Board* board = nullptr;      // nullptr: being enrolled
    const fleet::Profile* profile = nullptr;  // the board's, or the one that it is enrolled with
};

struct Admit {};

// Silence: firmware asks again by itself (fact sheet 1.7), so nothing needs to be remembered.
struct Wait {
    std::string reason;  // for people: "nothing provisioned in generation 12"
};

using GateAnswer = std::variant<Admit, Wait>;

// What a board is told beside its address.
struct BootParameters {
    std::string bootfile;   // a TFTP path or a URL; empty: the profile's dhcp bootfile
    std::string root_path;  // option 17 for the kernel's own DHCP; empty: not sent
};

class BootGate {
public:
    virtual ~BootGate() = default;

    // Asked for every DHCPDISCOVER of boot firmware in the fleet or being enrolled, never for an
    // operating system's own DHCP.
    virtual GateAnswer ask(const BootCandidate& candidate, TimePoint now) = 0;

    // Asked whenever a reply is built for a fleet board, also after its firmware stage.
    virtual BootParameters parameters(const BootCandidate& /*candidate*/) const { return {}; }
};

}  // namespace bramble::dhcp
