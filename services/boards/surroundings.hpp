// What stands around one board's boot: what its generation promises, who else was heard, what a
// look at it found, what its console said. It refuses to know how any of that was learnt.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"
#include "services/boards/event.hpp"

namespace bramble::boards {

// What a generation has for a board.
struct Expected {
    std::string kernel;          // `uname -r`; empty: not known
    std::string nfs_version;     // of its root; empty: it has none
    std::string export_path;     // of its root on the server
    std::string cmdline;         // as served; empty: none of Bramble's
    bool has_initramfs = false;  // something else than the kernel mounts the root
};

// Asked when a boot begins and when one is diagnosed. `generation` 0: nothing is published.
using Expectations = std::function<Expected(std::string_view board, std::uint64_t generation)>;

// Another DHCP server on this wire.
struct ForeignServer {
    Ipv4Address address;
    std::optional<MacAddress> mac;
    TimePoint heard{};

    // "172.16.1.254 (MAC 02:00:00:00:00:fe)": so that it can be found in a switch's table.
    std::string name() const;

    friend bool operator==(const ForeignServer&, const ForeignServer&) = default;
};

struct Surroundings {
    Expected expected;
    std::vector<ForeignServer> foreign_servers;  // heard lately, the latest first
    Examined examined;
    std::string console;  // the line that tells most
};

}  // namespace bramble::boards
