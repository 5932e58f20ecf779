// What makes a copy of a base root one board's own: host name, machine-id, SSH host keys, fstab,
// users, the unit that reports in. It refuses to know how the copy was made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/types/digest.hpp"
#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"
#include "provisioning/root/tree.hpp"

namespace bramble::root {

struct Identity {
    std::string hostname;  // the board's name
    std::optional<Ipv4Address> address;
    Ipv4Address server;   // the appliance, as the board reaches it
    layout::Export root;  // what it mounts as "/", for fstab
    std::string up_url;   // PUT here says that userspace runs (design, life of a boot)
    std::vector<fleet::User> users;
    std::optional<MacAddress> mac{};  // of the port it boots from; unset: known as eth0 or end0
    std::vector<Ipv4Address> dns{};
    std::string domain{};  // search domain
};

// The digest of the identity and of the recipe here; a board's root whose last key differs is given
// its identity again.
Digest identity_key(const Identity& identity);

// Writes the identity into the tree. `kept` is the board's directory for what must outlive its
// root: machine-id and SSH host keys are made there once and put into every root of the board. May
// be repeated.
[[nodiscard]] Result<void> apply_identity(
    host::Host& host, Tree& tree, const host::Path& kept, const Identity& identity
);

}  // namespace bramble::root
