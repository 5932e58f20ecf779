// Everything of one seed in one place: boards, appliance, a foreign DHCP server, the network
// between them, the faults that strike, and the watch over what must never happen.
// It refuses to know command lines.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/virtual_board/board.hpp"
#include "tests/simulation/appliance.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/simulation.hpp"

namespace bramble::simulation {

class World {
public:
    World(const Options& options, std::uint64_t seed);

    Result run();

private:
    // Holds every byte that a board takes against its own tree.
    class Watch final : public virtual_board::FileObserver {
    public:
        Watch(World& world, std::size_t board) : world_(world), board_(board) {}

        void on_bytes(std::string_view path, std::uint64_t offset, std::span<const std::byte> bytes)
            override;
        void on_file(const virtual_board::ReceivedFile& file) override;

    private:
        World& world_;
        std::size_t board_;
    };

    struct Bench {  // a board and what is done to it
        std::unique_ptr<Watch> watch;
        std::unique_ptr<virtual_board::Board> board;
        std::optional<TimePoint> woken_at;
        std::optional<TimePoint> up_at;
        bool foreign = false;  // the other DHCP server is nearer
        unsigned last_acks_to_lose = 0;
        std::optional<std::uint16_t> losing_ack_of;  // the port whose last ACK gets lost
        bool dozing = false;                         // hung, waiting for its power cycle
    };

    void plan_faults();
    void plan_power();
    void plan_resets();
    void plan_storms();
    void storm(std::size_t board, unsigned left);
    void power(std::size_t board);
    void settle(std::size_t board);
    void act(std::size_t board, const virtual_board::Action& action);
    void mount(std::size_t board, const virtual_board::MountRoot& mount);
    bool is_beyond_memory(std::size_t board) const;
    void wake_later(std::size_t board);

    void from_board(std::size_t board, const virtual_board::UdpOut& out);
    void dhcp_from_board(std::size_t board, const virtual_board::UdpOut& out);
    void foreign_server(std::size_t board, std::vector<std::byte> message);
    bool is_doomed_last_ack(std::size_t board, const virtual_board::UdpOut& out);
    void send_dhcp(const dhcp::Reply& reply);
    void send_tftp(tftp::Peer to, std::uint16_t from_port, std::vector<std::byte> datagram);
    void deliver(
        std::size_t board, const virtual_board::UdpIn& header, std::span<const std::byte> bytes
    );
    std::optional<std::size_t> holder_of(Ipv4Address address) const;

    void complain(std::string what);
    void final_checks(Result& result);
    bool all_up() const;

    const Options& options_;
    std::uint64_t seed_;
    Chance chance_;
    SimulatedFleet fleet_;
    Agenda agenda_;
    Network network_;
    std::vector<Bench> benches_;
    Appliance appliance_;
    TimePoint begun_;
    unsigned up_ = 0;
    std::uint64_t resets_ = 0;
    std::uint64_t unreported_ = 0;
    std::vector<std::string> violations_;
};

}  // namespace bramble::simulation
