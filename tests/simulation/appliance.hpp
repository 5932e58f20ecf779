// The appliance under test: the real DHCP server, the real TFTP engine and path resolution, with a
// lease store that survives a crash and nothing else that does. It refuses to know the network.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "services/dhcp/server.hpp"
#include "services/tftp/engine.hpp"
#include "services/tftp/resolve.hpp"
#include "tests/simulation/agenda.hpp"
#include "tests/simulation/fleet.hpp"

namespace bramble::simulation {

class Appliance : private tftp::Resolver {
public:
    using SendDhcp = std::function<void(const dhcp::Reply&)>;
    using SendTftp = std::function<
        void(tftp::Peer to, std::uint16_t from_port, std::vector<std::byte> datagram)>;
    using InUse = std::function<bool(Ipv4Address)>;
    using Complain = std::function<void(std::string)>;

    struct Outside {
        SendDhcp send_dhcp;
        SendTftp send_tftp;
        InUse in_use;  // what a conflict probe would find
        Complain complain;
    };

    Appliance(const SimulatedFleet& fleet, Agenda& agenda, Outside outside);

    // Gone at once, with everything but committed leases; back after `down`.
    void crash(Duration down);

    bool running() const { return running_.has_value(); }

    std::uint64_t crashes() const { return crashes_; }

    void on_dhcp(std::span<const std::byte> datagram, const dhcp::Arrival& arrival);
    void on_tftp(
        const tftp::Peer& peer, std::uint16_t to_port, std::span<const std::byte> datagram
    );

    // Whether "this board is up" is taken from this address, as the shell decides it.
    bool takes_report(const SimulatedBoard& board, Ipv4Address from) const;

    const dhcp::Counters& dhcp_counters() const { return running_->server.counters(); }

    std::uint64_t retransmissions() const { return retransmissions_; }

private:
    struct Running {
        explicit Running(Appliance& appliance);

        dhcp::Server server;
        tftp::Engine engine;
        std::map<Ipv4Address, std::string> addresses;  // as the shell's address book has them
        std::uint16_t data_port = 0;
        std::optional<TimePoint> woken_at;
    };

    struct LastSent {
        std::uint16_t block = 0;
        TimePoint at;
        bool data = false;
    };

    tftp::Resolution resolve(const tftp::Peer& peer, std::string_view path, TimePoint now) override;
    void start();
    void take(dhcp::Outcome outcome);
    void commit(const dhcp::LeaseChange& change);
    void transmit();
    void check_pace(const tftp::Peer& peer, std::span<const std::byte> datagram);
    void wake_later();
    void wake();

    const SimulatedFleet& fleet_;
    Agenda& agenda_;
    Outside outside_;
    tftp::PathIndex paths_;
    std::map<Ipv4Address, dhcp::Lease> committed_;
    std::optional<Running> running_;
    std::map<tftp::Peer, LastSent> last_sent_;
    std::uint64_t crashes_ = 0;
    std::uint64_t life_ = 0;
    std::uint64_t retransmissions_ = 0;
};

}  // namespace bramble::simulation
