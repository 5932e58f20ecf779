#include "services/bramble/wire_rehearsal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "provisioning/nfs/client.hpp"
#include "services/bramble/generations.hpp"
#include "services/bramble/mounted_root.hpp"
#include "services/rehearsal/root_check.hpp"
#include "services/rehearsal/spec.hpp"
#include "services/wire_board/board_thread.hpp"
#include "services/wire_board/up_report.hpp"

namespace bramble::program {
namespace {

using rehearsal::Report;
using virtual_board::Failure;

constexpr const char* up_script = "/usr/local/lib/bramble/report-up";

rehearsal::Phase phase_of(virtual_board::Phase phase) {
    switch (phase) {
        case virtual_board::Phase::eeprom_files:
            return rehearsal::Phase::firmware;
        case virtual_board::Phase::firmware_files:
            return rehearsal::Phase::config;
        case virtual_board::Phase::kernel:
        case virtual_board::Phase::kernel_address:
            return rehearsal::Phase::kernel;
        case virtual_board::Phase::root:
            return rehearsal::Phase::root;
        case virtual_board::Phase::userspace:
        case virtual_board::Phase::up:
            return rehearsal::Phase::userspace;
        default:
            return rehearsal::Phase::address;
    }
}

// One board, on a thread that ends with it: the thread stays in the board's namespace.
class WireBoot {
public:
    WireBoot(
        const layout::Manifest& manifest,
        const layout::BoardEntry& board,
        const WireRehearsal& wanted
    )
        : manifest_(manifest), board_(board), wanted_(wanted) {
        named_.name = board.name;
        const bool fits =
            wanted.firmware && rehearsal::is_firmware_of(*wanted.firmware, board.model);
        named_.spec = rehearsal::spec_of(board, fits ? wanted.firmware : std::nullopt);
        named_.spec.hostname = board.name;
        named_.spec.record_events = true;
        // What a board does by itself is not what is rehearsed.
        named_.spec.timing.power_on = named_.spec.timing.link_up = Duration::zero();
        named_.spec.timing.kernel_min = named_.spec.timing.kernel_max = std::chrono::seconds(1);
        report_.board = board.name;
        report_.firmware = named_.spec.profile.name;
        report_.generation = manifest.generation;
    }

    Report run(const std::string& port, std::atomic<bool>& stop, std::mutex& telling) {
        wire_board::Surroundings around;
        around.interface = wanted_.interface;
        around.read_root = [&](const virtual_board::MountRoot& mount) {
            auto seen = look_at(mount);
            if (!seen && report_.boots()) {
                report_.stop(
                    rehearsal::Phase::root,
                    seen.error().message,
                    "`bramble check --exports` looks at the exports, `bramble doctor` at the NFS "
                    "server and the firewall"
                );
            }
            if (!seen) stop = true;  // a kernel asks on for ever: the answer is known
            return seen;
        };
        // Who gets no offer may stand in the queue: all else would fail again.
        around.ends_with = [](Failure failure) {
            return failure != Failure::none && failure != Failure::no_offer &&
                   failure != Failure::no_ack;
        };
        around.manifest = &manifest_;
        around.verbose = true;
        around.stop = &stop;
        around.say = [&](const auto&, virtual_board::Phase phase, const std::string& text) {
            if (phase != virtual_board::Phase::retry) last_ = phase_of(phase);
            if (text == to_string(phase)) return;
            report_.tell(last_, text);
            const std::lock_guard lock(telling);
            if (wanted_.on_step) wanted_.on_step(board_.name, text);
        };
        const wire_board::BoardReport boot = wire_board::run_board(named_, port, around);
        if (!boot.booted && report_.boots()) explain(boot);
        return std::move(report_);
    }

private:
    void explain(const wire_board::BoardReport& boot) {
        if (boot.kind == Failure::no_cmdline && !board_.root) {
            return report_.tell(last_, "no NFS root: the board has boot files only");
        }
        if (boot.kind == Failure::boot_ramdisk) {
            return report_.tell(last_, "boot.img was fetched: what is inside is not rehearsed");
        }
        report_.stop(
            last_,
            boot.failure,
            fmt::format("`bramble board {}` tells what the server saw of this boot", board_.name)
        );
    }

    // From the calling thread's namespace: with the board's address, so that its export counts.
    Result<wire_board::RootSeen> look_at(const virtual_board::MountRoot& mount) {
        nfs::MountOptions options;
        options.version = mount.version.starts_with('4') ? 4 : 3;
        options.beside_others = true;
        auto client = nfs::Client::mount(mount.server, mount.path, options);
        if (!client) return tl::unexpected(client.error());
        auto root = std::make_shared<MountedRoot>(
            std::move(*client),
            fmt::format("{} mounted by NFS {} from {}", mount.path, options.version, mount.server)
        );
        rehearsal::check_root(*root, mount.cmdline, board_.kernel_release, report_);
        if (!report_.boots()) return fail(report_.first()->sentence);
        wire_board::RootSeen seen;
        seen.hostname = root->read_file("/etc/hostname").value_or("");
        seen.hostname = seen.hostname.substr(0, seen.hostname.find('\n'));
        seen.up_url = wire_board::up_url_in(root->read_file(up_script).value_or(""));
        seen.mount = std::move(root);
        return seen;
    }

    const layout::Manifest& manifest_;
    const layout::BoardEntry& board_;
    const WireRehearsal& wanted_;
    wire_board::BoardName named_;
    Report report_;
    rehearsal::Phase last_ = rehearsal::Phase::address;
};

// Sets `stop` for whoever waits too long; ends at once when all is done.
class Patience {
public:
    explicit Patience(std::atomic<bool>& stop)
        : thread_([this, &stop](const std::stop_token& over) {
              std::unique_lock lock(mutex_);
              if (!done_.wait_for(lock, over, WireRehearsal::patience, [] { return false; })) {
                  stop = !over.stop_requested();
              }
          }) {}

private:
    std::mutex mutex_;
    std::condition_variable_any done_;
    std::jthread thread_;
};

}  // namespace

Result<std::vector<Report>> rehearse_over_wire(
    const layout::Manifest& manifest, const WireRehearsal& wanted
) {
    std::vector<const layout::BoardEntry*> boards;
    for (const layout::BoardEntry& board : manifest.boards) {
        if (wanted.board.empty() || board.name == wanted.board) boards.push_back(&board);
    }
    if (boards.empty()) return fail(unknown_board(wanted.board, manifest));
    std::vector<Report> reports(boards.size());
    for (std::size_t i = 0; i < boards.size(); ++i) {
        reports[i].board = boards[i]->name;
        reports[i].generation = manifest.generation;
    }
    std::atomic<std::size_t> next = 0;
    std::mutex telling;
    const auto take = [&] {
        for (std::size_t i = next++; i < boards.size(); i = next++) {
            std::thread([&, i] {
                if (boards[i]->model == BoardModel::generic) return;  // its boot loader is its own
                std::atomic<bool> stop = false;
                const Patience patience(stop);
                const std::string port = fmt::format("rh{}-{}", ::getpid() % 100'000, i);
                reports[i] = WireBoot(manifest, *boards[i], wanted).run(port, stop, telling);
            }).join();
        }
    };
    std::vector<std::jthread> lanes;
    const auto many = std::min(boards.size(), WireRehearsal::at_once_max);
    for (std::size_t i = 0; i < many; ++i) lanes.emplace_back(take);
    lanes.clear();
    return reports;
}

}  // namespace bramble::program
