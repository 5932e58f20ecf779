// What a look at the machine and at the boards' wire found, as plain values. It refuses to judge
// any of it, and to know how anyone looked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/time_point.hpp"
#include "services/doctor/bridge_frame.hpp"
#include "services/doctor/firewall.hpp"
#include "services/doctor/socket_table.hpp"

namespace bramble::doctor {

struct InterfaceLook {
    std::string name;
    bool exists = false;
    bool up = false;
    bool carrier = false;
    unsigned mtu = 0;                     // bytes
    std::optional<unsigned> speed_mbits;  // unset: the driver does not say, as virtual ones do not
    bool has_address = false;             // the fleet file's appliance.address
    std::vector<std::string> others;      // interfaces that this machine has
};

// A DHCP server that answered a DISCOVER of ours and is not Bramble.
struct ForeignOffer {
    Ipv4Address server;  // option 54, else the sender
    MacAddress mac;
    Ipv4Address offered;
};

struct BridgeSighting {
    BridgeFrame frame;
    unsigned frames = 0;  // heard while we listened
};

// What was heard on the boards' interface; none when we could not listen.
struct WireLook {
    Duration listened{};
    std::vector<ForeignOffer> offers;
    std::optional<BridgeSighting> bridge;
};

struct ClockLook {
    std::optional<bool> synchronised;  // unset: the machine does not say
    int year = 0;
};

struct StoreLook {
    std::string path;
    bool exists = false;
    std::string filesystem;  // "ext4", "btrfs", "xfs", ...; empty: not known
    std::uint64_t bytes_free = 0;
    std::uint64_t bytes_total = 0;
    std::uint64_t files_free = 0;
    std::uint64_t files_total = 0;  // 0: the filesystem makes them as it goes
};

enum class NfsKind { none_needed, kernel, ganesha, external };

struct NfsLook {
    NfsKind kind = NfsKind::none_needed;
    std::string missing;         // why there is no server to be had; empty: there is one
    bool needs_rpcbind = false;  // a profile mounts version 3
    std::optional<std::string> export_error;  // of the first export that a board would not get
    std::size_t exports = 0;                  // that were looked at
};

// Another machine that is to hold the roots (nfs: external), asked as `apply` would ask it.
struct NasLook {
    std::string place;       // "172.16.1.9:/volume1/bramble"
    bool looked_at = false;  // as root: nobody else can see what root may there
    std::string problem;     // with what to do there; empty: root writes and gives files away there
};

// A kind of copy-on-write root and what this machine lacks for it.
struct CopyOnWriteLook {
    std::string kind;    // "overlay", "btrfs", "reflink"
    bool asked = false;  // the fleet file asks for it by name
    bool available = false;
};

struct Observation {
    InterfaceLook interface;
    bool serves_dhcp = true;  // dhcp.mode is not off
    bool proxy = false;       // another DHCP server is meant to be there
    bool serve_runs = false;  // a running serve answered on the admin address
    std::optional<WireLook> wire;
    std::string wire_error;  // why there is no `wire`
    std::vector<BoundSocket> sockets;
    std::optional<Ruleset> firewall;
    std::string firewall_error;  // why there is no `firewall`
    ClockLook clock;
    StoreLook store;
    NfsLook nfs;
    std::optional<NasLook> nas;
    std::vector<CopyOnWriteLook> copy_on_write;
    std::string fleet_file;
};

}  // namespace bramble::doctor
