// One export, looked at as the board that mounts it would: may its first program run, are the
// modules of its kernel there, is root root, is there room. It refuses to know how it is reached.
#pragma once

#include <cstdint>
#include <string>

#include "services/rehearsal/evidence.hpp"
#include "services/rehearsal/report.hpp"

namespace bramble::rehearsal {

// What the export's filesystem has left, for root. Counts of 0 in all: it does not count files
// (btrfs).
struct Room {
    std::uint64_t bytes = 0;
    std::uint64_t bytes_free = 0;
    std::uint64_t files = 0;
    std::uint64_t files_free = 0;
};

// Below these a system that writes its logs and takes an update is soon out of room.
inline constexpr std::uint64_t room_bytes_min = 256'000'000;
inline constexpr std::uint64_t room_files_min = 10'000;

// What the server lets root do with an entry, whatever its mode says.
struct Access {
    bool read = false;
    bool execute = false;
};

class ExportTree : public RootTree {
public:
    [[nodiscard]] virtual Result<Access> access(const std::string& path) = 0;
    [[nodiscard]] virtual Result<Room> room() = 0;
};

struct ExportLook {
    std::string cmdline;
    std::string kernel_release;  // empty: not known, or a kernel without modules
    bool read_only = false;      // then nobody asks for room
};

void check_export(ExportTree& tree, const ExportLook& look, Report& report);

}  // namespace bramble::rehearsal
