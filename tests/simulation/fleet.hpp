// The simulated fleet: boards of mixed profiles, the fleet file's values that describe them, and a
// generation in which every byte says whose it is. It refuses to know time and packets.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "services/tftp/transfer.hpp"
#include "services/virtual_board/board_spec.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/simulation/options.hpp"

namespace bramble::simulation {

struct SimulatedBoard {
    std::string name;
    virtual_board::BoardSpec spec;
    std::optional<Ipv4Address> reserved;
    bool stranger = false;  // not in the fleet file
};

using File = std::shared_ptr<const std::vector<std::byte>>;  // shared with transfers that send it

struct SimulatedFleet {
    std::shared_ptr<const fleet::Fleet> fleet;
    layout::Manifest manifest;
    std::vector<SimulatedBoard> boards;
    std::map<std::string, std::map<std::string, File>> files;  // board -> path in its tree -> bytes

    // The bytes behind a path as requested; nullptr: not this board's.
    const std::vector<std::byte>* find(const std::string& board, std::string_view requested) const;
};

inline const Ipv4Address server_address(0x0a000001U);        // 10.0.0.1
inline const Ipv4Address foreign_address(0x0a0000feU);       // 10.0.0.254
inline constexpr std::uint32_t foreign_range = 0x0a00f000U;  // 10.0.240.0: outside the pool
inline constexpr unsigned strangers = 2;

SimulatedFleet make_fleet(const Options& options, std::uint64_t seed);

}  // namespace bramble::simulation
