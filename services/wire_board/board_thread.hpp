// One virtual board on the wire, from its namespace to its report, in a thread of its own. It
// refuses to know the other boards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "config/layout/manifest.hpp"
#include "config/types/result.hpp"
#include "services/virtual_board/board.hpp"
#include "services/wire_board/board_report.hpp"

namespace bramble::wire_board {

struct RootSeen {
    std::string hostname;
    std::string up_url;  // where the root's own unit reports; empty: it has none
    std::uint64_t bytes = 0;
    std::shared_ptr<void> mount;  // shared by nobody: it is mounted for as long as this is here
};

// What the board's processor makes of what its firmware loaded.
class Loaded {
public:
    virtual ~Loaded() = default;

    // Files as the firmware takes them, by the path that it asked for.
    virtual void on_bytes(
        std::string_view path, std::uint64_t offset, std::span<const std::byte> bytes
    ) = 0;
    virtual void on_file(std::string_view path) = 0;
    // Why the kernel that was loaded last does not run; empty: it does.
    virtual std::string trouble() const = 0;
};

struct Surroundings {
    std::string interface;  // of the boards' wire: a bridge, or any other (see Wire::plug)
    // Mounts the root and reads it as kernel and init would, from the calling thread's network.
    std::function<Result<RootSeen>(const virtual_board::MountRoot&)> read_root;
    std::string up_url;  // where the root names none; {name}, {serial} and {server} are replaced
    const layout::Manifest* manifest = nullptr;            // to hold files against; nullptr: none
    bool verbose = false;                                  // each file and each message of DHCP too
    std::function<std::unique_ptr<Loaded>()> processor{};  // unset: whatever is loaded runs
    std::atomic<bool>* stop = nullptr;
    // Whether the boot is over with this failure; unset: the board tries again as a real one does.
    std::function<bool(virtual_board::Failure)> ends_with{};
    // A step of the boot, from any thread.
    std::function<void(const BoardName&, virtual_board::Phase, const std::string& text)> say;
};

TimePoint steady_now();

// Boots the board once; returns when it is up, has hung or halted, or is told to stop.
BoardReport run_board(const BoardName& board, const std::string& port, const Surroundings& around);

}  // namespace bramble::wire_board
