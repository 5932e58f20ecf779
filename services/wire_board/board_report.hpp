// A virtual board on the wire: its name, and what is to be said of its boot. It refuses to know
// namespaces and sockets.
#pragma once

#include <cstdint>
#include <string>

#include "services/virtual_board/board.hpp"
#include "services/virtual_board/board_spec.hpp"

namespace bramble::wire_board {

struct BoardName {
    std::string name;
    virtual_board::BoardSpec spec;
};

struct BoardReport {
    std::string name;
    std::string serial;
    std::string mac;
    std::string profile;
    std::string address;
    bool booted = false;
    std::string failure;                                         // empty: none
    virtual_board::Failure kind = virtual_board::Failure::none;  // the last of a boot's
    double seconds = 0;                                          // from power on to the report
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t verified = 0;  // files held against the manifest
    std::uint64_t restarts = 0;
    std::uint64_t retries = 0;  // RRQs and ACKs that were sent again
    std::string prefix;
    std::string cmdline;
};

}  // namespace bramble::wire_board
