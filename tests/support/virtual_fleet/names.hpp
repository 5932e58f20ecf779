// What the runner is told of a board, and what it has to say of its boot. It refuses to know
// namespaces and sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"
#include "services/virtual_board/board_spec.hpp"

namespace bramble::virtual_fleet {

struct BoardName {
    std::string name;
    virtual_board::BoardSpec spec;
};

// "NAME,SERIAL,MAC[,PROFILE]", profile pi4-2023 unless said. Errors: anything else.
[[nodiscard]] Result<BoardName> parse_board(std::string_view text);

struct BoardReport {
    std::string name;
    std::string serial;
    std::string mac;
    std::string profile;
    std::string address;
    bool booted = false;
    std::string failure;  // empty: none
    double seconds = 0;   // from power on to the report
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t verified = 0;  // files held against the manifest
    std::uint64_t restarts = 0;
    std::uint64_t retries = 0;  // RRQs and ACKs that were sent again
    std::string prefix;
    std::string cmdline;
};

// A JSON array of objects with the fields above.
std::string to_json(const std::vector<BoardReport>& reports);

}  // namespace bramble::virtual_fleet
