// What came of a simulated mass boot, and how it reads: the last board, percentiles, who gave up.
// It refuses to know how it came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/time_point.hpp"

namespace bramble::massboot {

// Instants count from the beginning of the run; absent: it never came to that. With several
// attempts, of the last one.
struct BoardRecord {
    std::optional<Duration> powered;
    std::optional<Duration> asked;    // the first DHCPDISCOVER
    std::optional<Duration> offered;  // its boot begins
    std::optional<Duration> fetched;  // it has all files and starts its kernel
    std::optional<Duration> up;
    std::uint64_t restarts = 0;       // BOOT_ORDER gone round
    std::uint64_t file_timeouts = 0;  // files that did not come within TFTP_FILE_TIMEOUT
    std::uint64_t bytes = 0;          // fetched in the last attempt
};

struct Result {
    bool admission = true;
    std::vector<BoardRecord> boards;
    Duration elapsed{};
    Duration link_busy{};
    Duration waited_for_admission{};  // how long anybody did
    Duration link_busy_meanwhile{};
    std::size_t waiting_most = 0;  // boards at one time
    std::uint64_t retransmissions = 0;
};

struct Percentiles {
    Duration p50{};
    Duration p90{};
    Duration p99{};
    Duration max{};
};

struct Summary {
    std::size_t boards = 0;
    std::size_t up = 0;
    std::size_t gave_up = 0;            // boards that lost a file to its timeout at least once
    std::uint64_t file_timeouts = 0;    // of all boards
    std::uint64_t bytes = 0;            // fetched by the boots that succeeded
    std::optional<Duration> last_up;    // nothing unless all are
    Percentiles waiting;                // from the first DISCOVER to the offer
    Percentiles fetching;               // from the offer to the last file
    Percentiles booting;                // from power to up
    double link_use = 0;                // 0 to 1, of the whole run
    double link_use_while_waiting = 0;  // 0 to 1; 1 when nobody waited
    std::size_t waiting_most = 0;
    std::uint64_t retransmissions = 0;
};

Summary summarise(const Result& result);

// The pth percent of `values`, nearest rank; zero of none.
Percentiles percentiles(std::vector<Duration> values);

struct Comparison {
    std::uint64_t link_bits_per_second = 0;
    Duration one_boot{};  // of a board that has the link for itself, a slow one
    std::optional<Summary> with_admission;
    std::optional<Summary> without_admission;
    Duration without_ended_after{};  // when the run without admission was given up

    // bytes ÷ link + one boot: sooner it cannot be.
    std::optional<Duration> bound() const;
};

std::string render(const Comparison& comparison);
std::string render_json(const Comparison& comparison);

}  // namespace bramble::massboot
