// What stands around one board's boot: what its generation promises, who else was heard, what a
// look at it found, what its console said. It refuses to know how any of that was learnt.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

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

struct Surroundings {
    Expected expected;
    std::optional<Ipv4Address> foreign_server;  // heard lately on this wire
    Examined examined;
    std::string console;  // the line that tells most
};

}  // namespace bramble::boards
