// What is simulated: which boards, what each fetches, over which link, with admission or without.
// It refuses to know time and packets.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "config/types/time_point.hpp"
#include "services/admission/doorman.hpp"
#include "services/admission/queue.hpp"
#include "services/tftp/transfer.hpp"
#include "services/virtual_board/board_spec.hpp"

namespace bramble::massboot {

inline constexpr std::size_t boards_max = 10'000;
inline constexpr std::uint64_t file_bytes_max = std::uint64_t{1} << 30U;

using Files = std::map<std::string, std::shared_ptr<const tftp::Content>>;  // path -> bytes

struct PlannedBoard {
    std::string name;
    std::string group;  // for admission; empty: none
    virtual_board::BoardSpec spec;
    std::shared_ptr<const Files> files;           // its tree; shared by boards that have the same
    Duration power_after{};                       // from the beginning
    std::vector<admission::PlannedFile> fetches;  // of its tree, what its boot asks for
};

struct Plan {
    std::vector<PlannedBoard> boards;
    std::uint64_t link_bits_per_second = 1'000'000'000;
    Duration latency = std::chrono::microseconds(60);  // one way: two switches, two stacks
    Duration server_per_datagram = std::chrono::microseconds(5);  // one core of the appliance
    std::uint64_t queue_octets_max = 0;  // of the port that the link leaves by; 0: the server waits
    admission::Settings admission;
    Duration end_after = std::chrono::hours(4);  // of virtual time, whoever is up by then

    std::uint64_t bytes_to_fetch() const;  // of all boards together
};

struct PlanOptions {
    unsigned boards = 48;
    std::uint64_t boot_bytes = 23'600'000;  // what each fetches, at least `boot_bytes_min`
    virtual_board::Profile profile = virtual_board::default_profile();
    std::uint64_t link_bits_per_second = 1'000'000'000;
    Duration stagger{};  // boards are powered on evenly over so long
    std::uint64_t seed = 1;
};

// start4.elf of today and something of everything else (fact sheet 9).
inline constexpr std::uint64_t boot_bytes_min = 4'000'000;

// Boards that are all alike. Errors: more boards or bytes than the bounds, no board, too few bytes.
[[nodiscard]] Result<Plan> plan_of_equals(const PlanOptions& options);

// The text of a small object of the store; nothing when it cannot be read.
using ReadText = std::function<std::optional<std::string>(const layout::ObjectFile&)>;

// The Raspberry Pi boards of a fleet with the trees that a generation gives them. Texts count with
// their words (the firmware acts upon them), everything else by its size alone. `options.boards`,
// `boot_bytes` and `profile` are not used but for the profile of Pi 4 models. Errors: no board with
// Raspberry Pi firmware in it, a file beyond the bound.
[[nodiscard]] Result<Plan> plan_of_fleet(
    const fleet::Fleet& fleet,
    const layout::Manifest& generation,
    const ReadText& read_text,
    const PlanOptions& options
);

}  // namespace bramble::massboot
