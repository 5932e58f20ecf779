// The inside of Board: which phase it is in and what that phase holds. It refuses to know what its
// parts know: messages, transfers, file orders.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "services/virtual_board/board.hpp"
#include "services/virtual_board/dhcp_client.hpp"
#include "services/virtual_board/file_order.hpp"
#include "services/virtual_board/kernel_cmdline.hpp"
#include "services/virtual_board/tftp_client.hpp"

namespace bramble::virtual_board {

// A small generator (SplitMix64): equal seeds give equal boards on every platform.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
        z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ z >> 27U) * 0x94d049bb133111ebULL;
        return z ^ z >> 31U;
    }

    Duration between(Duration low, Duration high) {
        if (high <= low) return low;
        return low + Duration(static_cast<Duration::rep>(
                         next() % static_cast<std::uint64_t>((high - low).count() + 1)
                     ));
    }

private:
    std::uint64_t state_;
};

class Board::Machine {
public:
    static constexpr std::uint16_t first_port = 40000;  // the counter begins here at each power-on
    static constexpr unsigned mount_tries_max = 5;      // init/do_mounts.c, NFSROOT_RETRY_MAX

    Machine(BoardSpec spec, FileObserver* observer);

    void on_power(TimePoint now);
    void on_power_off();
    void on_datagram(const UdpIn& datagram, TimePoint now);
    void on_deadline(TimePoint now);
    void on_mount_result(const Result<void>& result, TimePoint now);
    void on_report_result(bool accepted, TimePoint now);
    std::optional<TimePoint> next_deadline() const;

    std::optional<UdpOut> pop_transmit(TimePoint now);
    std::optional<Action> pop_action();
    std::optional<Event> pop_event();

    BoardSpec spec;
    Counters counters;
    Phase phase = Phase::off;
    BootFailure last_failure;
    std::optional<Ipv4Address> address;
    std::optional<Ipv4Address> server;
    std::vector<ReceivedFile> received;
    std::string prefix;

private:
    struct Resting {};  // off, up, hung, halted, or waiting for the outside

    struct Waiting {
        explicit Waiting(TimePoint end) : until(end) {}

        TimePoint until;
    };

    struct Addressing {
        explicit Addressing(DhcpClient begun) : client(std::move(begun)) {}

        DhcpClient client;
    };

    struct Fetching {
        Fetching(FileOrder begun, TimePoint first_at)
            : order(std::move(begun)), next_at(first_at) {}

        FileOrder order;
        std::optional<Transfer> transfer;
        std::uint16_t port = 0;  // of the transfer
        TimePoint next_at;       // when there is none
    };

    using State = std::variant<Resting, Waiting, Addressing, Fetching>;

    void enter(Phase next, TimePoint now);
    void wait(Phase next, TimePoint now, Duration duration);
    void settle(TimePoint now);
    void settle_addressing(Addressing& addressing, TimePoint now);
    void settle_fetching(Fetching& fetching, TimePoint now);
    void after_wait(TimePoint now);
    void begin_address(TimePoint now);
    void begin_dhcp(Phase next, DhcpStage stage, TimePoint now);
    void on_lease(const Lease& lease, TimePoint now);
    void on_kernel_lease(const Lease& lease, TimePoint now);
    void configure(Ipv4Address own, Ipv4Address mask, std::optional<Ipv4Address> gateway);
    void begin_files(TimePoint now);
    void start_transfer(Fetching& fetching, const FileWanted& wanted, TimePoint now);
    void on_file_result(Fetching& fetching, TimePoint now);
    void on_verdict(const FilesVerdict& verdict, TimePoint now);
    void begin_kernel(const KernelLoaded& loaded, TimePoint now);
    void begin_kernel_address(TimePoint now);
    void mount(TimePoint now);
    void begin_userspace(TimePoint now);
    void report(TimePoint now);
    void fail(BootFailure failure, TimePoint now);
    void next_boot_mode(TimePoint now);
    void drop_address();
    void send_dhcp(std::vector<std::byte> bytes, TimePoint now);
    void note(TimePoint now, std::string text, bool detail = false);

    FileObserver* observer_;
    Chance chance_;
    State state_ = Resting{};
    unsigned boot_mode_ = 0;  // nibble of BOOT_ORDER, from the right
    int retries_ = 0;
    int restarts_ = 0;
    unsigned mount_tries_ = 0;
    bool keep_prefix_ = false;
    TimePoint deaf_until_;  // spanning tree
    std::uint16_t port_ = first_port;
    std::optional<Ipv4Address> firmware_address_;
    std::optional<KernelBoot> kernel_;
    std::deque<UdpOut> outgoing_;
    std::deque<Action> actions_;
    std::deque<Event> events_;
};

}  // namespace bramble::virtual_board
