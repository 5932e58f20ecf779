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
#include "services/tftp/answer_times.hpp"
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
    bool authoritative = true;              // false: another server leases, or nobody asks us
    std::uint64_t overflowed = 0;           // messages that the kernel dropped: a buffer was full
};

struct TftpFigures {
    tftp::Counters counters;  // of all workers together
    std::uint64_t open_transfers = 0;
    std::uint64_t requests_dropped = 0;  // a worker's inbox was full
    std::uint64_t datagrams_not_sent = 0;
    tftp::AnswerTimes answer_times;
    std::uint64_t overflowed_requests = 0;  // dropped by the kernel: a buffer was full
    std::uint64_t overflowed_data = 0;
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
    std::optional<boards::Phase> phase;  // of a boot that has not ended
    std::optional<Duration> last_boot;   // of the latest boot that came up
};

struct ReloadFigures {
    bool last_succeeded = true;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    TimePoint last_success{};  // wall clock, as the shell's clock counts
};

// How the last apply ended, as it left word in the store.
struct ApplyFigures {
    bool succeeded = false;
    TimePoint ended{};
    Duration took{};
    std::uint64_t steps_done = 0;
    std::uint64_t steps_left = 0;  // that the plan had and the run did not come to the end of
    std::uint64_t warnings = 0;
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
    std::optional<ApplyFigures> apply;  // none: no apply has left word
};

// Prometheus text format 0.0.4. Every series is there from the start, also those that are zero.
std::string render(const Figures& figures);

}  // namespace bramble::metrics
