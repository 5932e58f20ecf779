// Boots the boards of a generation on paper, one after another: a virtual board's own DHCP and TFTP
// against this program's servers, then a look at what it would run. It refuses to know disks,
// sockets and whether the generation is published.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "config/layout/manifest.hpp"
#include "services/dhcp/server.hpp"
#include "services/rehearsal/boot_check.hpp"
#include "services/rehearsal/evidence.hpp"
#include "services/rehearsal/manifest_gate.hpp"
#include "services/rehearsal/report.hpp"
#include "services/tftp/engine.hpp"
#include "services/tftp/resolve.hpp"
#include "services/virtual_board/board.hpp"

namespace bramble::rehearsal {

class Rehearsal final : private tftp::Resolver, private virtual_board::FileObserver {
public:
    static constexpr std::size_t steps_max = 4'000'000;  // of one boot: a kernel of 96 MB in blocks

    // `manifest` and `evidence` outlive it. `firmware` unset: what most boards of a model have.
    Rehearsal(
        const fleet::Fleet& fleet,
        const layout::Manifest& manifest,
        Evidence& evidence,
        std::optional<virtual_board::Profile> firmware = {}
    );
    Rehearsal(const Rehearsal&) = delete;
    Rehearsal& operator=(const Rehearsal&) = delete;
    ~Rehearsal() override;

    // `board` is one of the manifest's.
    Report rehearse(const layout::BoardEntry& board);

private:
    // One boot.
    struct Boot {
        Boot(
            const layout::BoardEntry& whose,
            Report& into,
            virtual_board::BoardSpec spec,
            virtual_board::FileObserver* observer
        )
            : entry(whose), report(into), board(std::move(spec), observer) {}

        const layout::BoardEntry& entry;
        Report& report;
        virtual_board::Board board;
        FilesTaken taken;
        std::unordered_set<std::string> damaged;  // paths
        std::string held;                         // why DHCP offered nothing
        std::string release;
        bool files_checked = false;
        bool addressed = false;
        bool over = false;
    };

    // tftp::Resolver, virtual_board::FileObserver
    tftp::Resolution resolve(const tftp::Peer& peer, std::string_view path, TimePoint now) override;

    void on_bytes(std::string_view, std::uint64_t, std::span<const std::byte>) override {}

    void on_file(const virtual_board::ReceivedFile& file) override;

    void rehearse_generic(const layout::BoardEntry& entry, Report& report);
    void run();
    bool step();
    bool advance(TimePoint end);
    void to_server(const virtual_board::UdpOut& out);
    void take(const dhcp::Outcome& outcome);
    bool to_board();
    void act(const virtual_board::Action& action);
    void on_address(const virtual_board::UseAddress& used);
    void on_mount(const virtual_board::MountRoot& wanted);
    void check_files();
    void explain(const virtual_board::BootFailure& failure);
    void explain_size(const virtual_board::BootFailure& failure);
    std::string how_to_mend(const layout::ObjectFile& object) const;
    std::shared_ptr<const tftp::Content> content_of(
        const layout::BootFile& file, const std::string& path
    );
    const layout::BootFile* file_of(std::string_view requested, std::string& path) const;

    std::shared_ptr<const fleet::Fleet> fleet_;
    const layout::Manifest& manifest_;
    Evidence& evidence_;
    std::optional<virtual_board::Profile> firmware_;
    bool plays_lease_server_;
    tftp::PathIndex paths_;
    ManifestGate gate_;
    dhcp::Server dhcp_;
    tftp::Engine tftp_;
    BootCheck boot_check_;
    // A file that came whole to one board of this firmware comes whole to the next: it is then sent
    // in short, or a room of 1000 boards would take minutes.
    std::unordered_set<Digest> seen_whole_;
    std::string seen_by_;  // the firmware that seen_whole_ speaks of
    TimePoint now_;
    Boot* boot_ = nullptr;  // the one that runs
    std::vector<std::byte> scratch_;
};

}  // namespace bramble::rehearsal
