// Boards, appliance and link in virtual time: the real DHCP server, TFTP engine and admission, real
// boards' timers, one link that they share. Roots over NFS are not part of it: a mount takes a
// moment. It refuses to know command lines and how results are printed.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "services/admission/doorman.hpp"
#include "services/dhcp/server.hpp"
#include "services/massboot/plan.hpp"
#include "services/massboot/report.hpp"
#include "services/massboot/wire.hpp"
#include "services/tftp/engine.hpp"
#include "services/tftp/resolve.hpp"
#include "services/virtual_board/board.hpp"

namespace bramble::massboot {

struct Progress {
    Duration elapsed{};  // virtual
    std::size_t up = 0;
    std::size_t boards = 0;
};

// Called about once a virtual second; false ends the run.
using OnProgress = std::function<bool(const Progress&)>;

class World final : private dhcp::BootGate, private tftp::Resolver {
public:
    // `plan` outlives the world.
    World(const Plan& plan, bool admission);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World() override;

    // Until every board is up, the plan's end, or on_progress says so.
    Result run(const OnProgress& on_progress);

private:
    enum class What : std::uint8_t { power, board_wakes, server_wakes, mounted, reported, tick };

    struct Due {
        TimePoint at;
        std::uint64_t order = 0;  // of one instant, the first put down is the first done
        What what = What::tick;
        std::uint32_t board = 0;

        friend bool operator<(const Due& a, const Due& b) {
            return a.at != b.at ? a.at > b.at : a.order > b.order;
        }
    };

    // A datagram on the wire. DATA has its four octets here and a slice of its file.
    struct Frame {
        TimePoint at;
        std::uint32_t board = 0;
        std::uint16_t source_port = 0;
        std::uint16_t destination_port = 0;
        Ipv4Address destination;
        std::uint16_t head_octets = 0;
        std::array<std::byte, tftp::Outgoing::header_max> head{};
        std::span<const std::byte> payload;
        std::shared_ptr<const std::vector<std::byte>> whole;  // DHCP
    };

    struct Bench {
        std::unique_ptr<virtual_board::Board> board;
        TimePoint wakes_at = TimePoint::max();       // soon
        TimePoint wakes_late_at = TimePoint::max();  // a timer that mostly never rings
        virtual_board::Phase phase = virtual_board::Phase::off;
        std::uint64_t bytes_before = 0;  // received before the boot that counts
        BoardRecord record;
        bool waits = false;
    };

    // dhcp::BootGate, tftp::Resolver
    dhcp::GateAnswer ask(const dhcp::BootCandidate& candidate, TimePoint now) override;
    tftp::Resolution resolve(const tftp::Peer& peer, std::string_view path, TimePoint now) override;

    void at(TimePoint when, What what, std::uint32_t board = 0);
    void do_due(const Due& due);
    void settle(std::uint32_t board);
    void enter(Bench& bench, virtual_board::Phase phase);
    void wake_later(std::uint32_t board);
    void from_board(std::uint32_t board, virtual_board::UdpOut out);
    void arrive_at_server(const Frame& frame);
    void arrive_at_board(const Frame& frame);
    void take(const dhcp::Outcome& outcome);
    void send_reply(const dhcp::Reply& reply);
    void transmit();
    void on_transfers();
    void poll_doorman();
    void wake_server_later();
    void tick();
    std::uint32_t index_of(Ipv4Address address) const;

    const Plan& plan_;
    const bool admission_;
    std::shared_ptr<const fleet::Fleet> fleet_;
    layout::Manifest manifest_;
    std::unordered_map<std::string, std::uint32_t> index_of_name_;
    admission::Doorman doorman_;
    tftp::PathIndex paths_;
    dhcp::Server server_;
    tftp::Engine engine_;
    Wire down_;
    Wire up_;
    std::deque<Frame> going_down_;
    std::deque<Frame> going_up_;
    std::priority_queue<Due> agenda_;
    std::vector<Bench> benches_;
    std::vector<std::byte> scratch_;
    TimePoint begun_;
    TimePoint now_;
    TimePoint server_free_at_;
    TimePoint server_wakes_at_ = TimePoint::max();
    std::uint64_t order_ = 0;
    std::size_t up_count_ = 0;
    std::size_t waiting_ = 0;
    TimePoint last_tick_;
    Duration busy_at_last_tick_{};
    Result result_;
};

}  // namespace bramble::massboot
