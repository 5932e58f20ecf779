// The numbers of all parts at one instant, and their text for Prometheus. It refuses to count: the
// cores do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/admission/queue.hpp"
#include "services/boards/tracker.hpp"
#include "services/dhcp/counters.hpp"
#include "services/metrics/boot_counters.hpp"
#include "services/tftp/engine.hpp"

namespace bramble::metrics {

// What `Content-Type` the text has.
inline constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

struct DhcpFigures {
    dhcp::Counters counters;
    std::uint64_t replies_not_durable = 0;  // dropped because their lease could not be stored
    std::uint64_t replies_not_sent = 0;     // buffers full, no route, link down
    std::uint64_t leases = 0;               // that hold now
    std::uint64_t pool_leases = 0;          // of them, from the pool
    std::uint64_t pool_addresses = 0;       // 0: there is no pool
};

struct TftpFigures {
    tftp::Counters counters;  // of all workers together
    std::uint64_t open_transfers = 0;
    std::uint64_t requests_dropped = 0;  // a worker's inbox was full
    std::uint64_t datagrams_not_sent = 0;
};

struct AdmissionFigures {
    admission::Counters counters;
    std::uint64_t inside = 0;
    std::uint64_t waiting = 0;
    std::uint64_t capacity = 0;
    std::uint64_t link_bytes_per_second = 0;
    Duration longest_wait{};  // of those that wait now
};

// A board of the fleet file. Strangers never get a series of their own: their number is up to
// whoever sends DISCOVERs.
struct BoardFigures {
    std::string name;
    boards::Condition condition = boards::Condition::never_seen;
    std::optional<Duration> last_boot;  // of the latest boot that came up
};

struct ReloadFigures {
    bool last_succeeded = true;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    TimePoint last_success{};  // wall clock, as the shell's clock counts
};

struct Figures {
    std::string version;  // of the program
    TimePoint started{};
    std::optional<DhcpFigures> dhcp;  // none: DHCP is off
    TftpFigures tftp;
    std::optional<AdmissionFigures> admission;  // none: switched off
    BootCounters boots;
    std::vector<BoardFigures> boards;
    std::uint64_t strangers = 0;
    std::uint64_t generation = 0;  // 0: nothing is published
    ReloadFigures reload;
};

// Prometheus text format 0.0.4. Every series is there from the start, also those that are zero.
std::string render(const Figures& figures);

}  // namespace bramble::metrics
