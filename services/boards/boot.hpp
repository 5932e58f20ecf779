// One boot of one board as it is remembered: its phases, files and end. It refuses to know how it
// came to be known.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/time_point.hpp"
#include "services/boards/event.hpp"
#include "services/boards/file_class.hpp"

namespace bramble::boards {

// What the board is at; each is entered when the one before has shown its end.
enum class Phase {
    address,    // asks for an address
    firmware,   // has one, loads its firmware
    config,     // reads its configuration, device tree and overlays
    kernel,     // loads kernel and initramfs, and starts them
    root,       // the kernel is on the network and mounts its root
    userspace,  // the root is mounted; ends with the report "up"
};

inline constexpr std::size_t phase_count = 6;

std::string_view to_string(Phase phase);

enum class BootState {
    running,
    waiting,     // held in DHCP until there is room
    stuck,       // silent for longer than its phase may be; may still go on
    up,          // reported
    superseded,  // the board began another boot
    abandoned,   // silent for so long that nobody waits any more
};

std::string_view to_string(BootState state);

// All requests for one path in one boot.
struct FileRecord {
    std::string path;
    FileClass file_class = FileClass::config;
    FileOutcome outcome = FileOutcome::missing;  // the latest; a load is never overwritten
    std::uint64_t bytes = 0;                     // of the latest load
    Duration took{0};                            // of the latest load
    unsigned loads = 0;
    unsigned probes = 0;
    unsigned asked = 0;                 // requests, whatever became of them
    std::uint64_t retransmissions = 0;  // of all requests
    TimePoint first_asked{};
    TimePoint last_ended{};

    friend bool operator==(const FileRecord&, const FileRecord&) = default;
};

// Another server's offer to a board, beside or instead of ours.
struct OtherOffer {
    Ipv4Address server;
    Ipv4Address address;

    friend bool operator==(const OtherOffer&, const OtherOffer&) = default;
};

struct Boot {
    static constexpr std::size_t files_max = 200;  // further paths are counted only
    static constexpr std::size_t rivals_told_max = 4;

    std::uint64_t generation = 0;  // 0: nothing was published
    TimePoint started{};
    TimePoint last_event{};
    std::optional<TimePoint> ended;  // set with up, superseded and abandoned
    BootState state = BootState::running;
    bool partial = false;  // its beginning was not seen: the server started later
    Phase phase = Phase::address;
    std::array<std::optional<TimePoint>, phase_count> entered;
    Ipv4Address address;
    unsigned discovers = 0;
    unsigned offers = 0;
    std::string hold_reason;  // while waiting
    std::vector<FileRecord> files;
    std::uint64_t files_dropped = 0;
    std::string diagnosis;       // while stuck, and once abandoned
    std::string kernel;          // release: as the board said, before that as its generation has it
    Duration heartbeat{0};       // between two signs of life that it promised; 0: none
    unsigned restarts = 0;       // of its firmware, with nothing loaded in between
    unsigned failed_before = 0;  // boots directly before it that did not come up either
    Duration widest_gap{0};      // between two of its DISCOVERs
    std::optional<OtherOffer> other_offer;  // that it took
    std::optional<OtherOffer> rival_offer;  // that it was heard to be made, the latest
    std::vector<Ipv4Address> rivals_told;   // servers of such offers, not kept in its history
    std::optional<MacAddress> mac;          // that it asks with
    std::optional<MacAddress> mac_of_twin;  // another one that claims to be the same board
    std::array<bool, nfs_door_count> knocked{};
    unsigned knocks_unanswered = 0;

    bool finished() const { return ended.has_value(); }

    // How long a phase took; of the current one: until the last event. None: not entered.
    std::optional<Duration> duration(Phase of) const;

    Duration total() const { return ended.value_or(last_event) - started; }

    std::uint64_t bytes_loaded() const;

    bool has_knocked(NfsDoor door) const { return knocked[static_cast<std::size_t>(door)]; }

    const FileRecord* find_file(std::string_view path) const;

    friend bool operator==(const Boot&, const Boot&) = default;
};

}  // namespace bramble::boards
