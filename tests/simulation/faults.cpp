// Which faults strike which board when (fact sheet 10.3), decided by the seed alone.
#include <algorithm>
#include <array>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"
#include "services/virtual_board/tftp_wire.hpp"
#include "tests/simulation/world.hpp"

namespace bramble::simulation {

namespace {

using namespace std::chrono_literals;
using virtual_board::Phase;
using virtual_board::UdpIn;

constexpr std::size_t stampede_boards = 64;
constexpr unsigned storm_requests = 250;  // 5 s of them
constexpr Duration storm_pause = 20ms;    // 50 RRQ/s
constexpr std::uint16_t storm_port = 50'000;
constexpr unsigned resets_of_a_board_max = 2;

}  // namespace

void World::plan_faults() {
    for (std::size_t i = 0; i < benches_.size(); ++i) {
        const std::uint64_t dice = chance_.next();
        const auto struck = [&](Fault fault, unsigned one_in) {
            return options_.has(fault) && (dice >> 4U * static_cast<unsigned>(fault)) % one_in == 0;
        };
        if (struck(Fault::first_discover, 4)) network_.lose_first(FrameKind::discover, i);
        if (struck(Fault::offer, 4)) network_.lose_first(FrameKind::offer, i);
        if (struck(Fault::dhcp_ack, 4)) network_.lose_first(FrameKind::ack, i);
        if (struck(Fault::rrq_twice, 6)) network_.double_rrqs_of(i);
        if (struck(Fault::last_tftp_ack, 3)) benches_[i].last_acks_to_lose = 5;
        // A Pi 3's ROM takes an OFFER without a word: a foreign address that is not reserved cannot
        // be known to be its own.
        const SimulatedBoard& board = fleet_.boards[i];
        const bool can_be_heard = board.spec.profile.sends_request || board.reserved;
        if (struck(Fault::foreign_dhcp, 8) && !board.stranger && can_be_heard) {
            benches_[i].foreign = true;
        }
    }
    plan_power();
    if (options_.has(Fault::reset)) plan_resets();
    if (options_.has(Fault::retry_storm)) plan_storms();
    if (!options_.has(Fault::crash)) return;
    for (const Duration around : {10s, 35s, 80s}) {
        agenda_.after(around + chance_.between(0s, 10s), [this] {
            appliance_.crash(chance_.between(200ms, 8s));
        });
    }
}

void World::plan_power() {
    const std::size_t together = options_.has(Fault::stampede) ? stampede_boards : 0;
    for (std::size_t i = 0; i < benches_.size(); ++i) {
        const Duration when = i < together ? chance_.between(0ms, 100ms) : chance_.between(0s, 60s);
        agenda_.after(when, [this, i] { power(i); });
    }
}

// Power cycles once or twice, most of them while files are on their way.
void World::plan_resets() {
    for (std::size_t i = 0; i < benches_.size(); ++i) {
        if (chance_.below(4) != 0) continue;
        const unsigned times = 1 + static_cast<unsigned>(chance_.below(resets_of_a_board_max));
        for (unsigned n = 0; n < times; ++n) {
            agenda_.after(chance_.between(5s, 70s), [this, i] {
                const Phase phase = benches_[i].board->phase();
                if (phase == Phase::off || phase == Phase::up) return;
                ++resets_;
                power(i);
            });
        }
    }
}

void World::plan_storms() {
    for (std::size_t i = 0; i < benches_.size(); i += 16) {
        agenda_.after(chance_.between(8s, 40s), [this, i] { storm(i, storm_requests); });
    }
}

// E#74, E#140: requests every 16 to 20 ms; for its own files, for another's, for none.
void World::storm(std::size_t board, unsigned left) {
    if (left == 0) return;
    agenda_.after(storm_pause, [this, board, left] { storm(board, left - 1); });
    const auto address = benches_[board].board->address();
    if (!address) return;
    const std::size_t other = (board + 1 + left) % fleet_.boards.size();
    const std::size_t whose = left % 3 == 0 ? other : board;
    const std::string path = fleet_.boards[whose].spec.serial.to_string() +
                             (left % 2 == 0 ? "/config.txt" : "/no-such-file");
    virtual_board::UdpOut out;
    out.source = *address;
    out.source_port = static_cast<std::uint16_t>(storm_port + left % 8);
    out.destination = server_address;
    out.destination_port = virtual_board::tftp_port;
    out.bytes = virtual_board::make_rrq(path, {.tsize = true, .blksize = 1024});
    from_board(board, out);
}

// A router that leases too and knows nothing of network boot. It is nearer, so it answers first:
// with the same reservations, and with addresses of its own for boards that have none.
void World::foreign_server(std::size_t board, std::vector<std::byte> message) {
    const SimulatedBoard& subject = fleet_.boards[board];
    const bool request = message[242] == std::byte{3};
    constexpr std::array<std::uint8_t, 6> chose_foreign = {54, 4, 10, 0, 0, 254};
    if (request && std::ranges::search(message, std::as_bytes(std::span(chose_foreign))).empty()) {
        return;
    }
    const Ipv4Address address =
        subject.reserved.value_or(Ipv4Address(foreign_range + static_cast<std::uint32_t>(board)));
    std::array<std::byte, 400> buffer{};
    ByteWriter out(buffer);
    ByteReader in(message);
    in.take(4);
    out.octets(std::array<std::uint8_t, 4>{2, 1, 6, 0});
    out.bytes(*in.take(4));  // xid
    out.zeros(8);
    out.u32(address.value());
    out.zeros(8);
    in.take(20);
    out.bytes(*in.take(16));  // chaddr
    out.zeros(192);
    out.u32(0x63825363);
    const auto type = static_cast<std::uint8_t>(request ? 5 : 2);
    out.octets(std::array<std::uint8_t, 3>{53, 1, type});
    out.octets(chose_foreign);
    out.octets(std::array<std::uint8_t, 12>{51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 0, 0});
    out.u8(255);
    const UdpIn header{foreign_address, 67, Ipv4Address::broadcast(), 68, {}};
    std::vector<std::byte> bytes(out.written().begin(), out.written().end());
    agenda_.after(50us, [this, board, header, bytes = std::move(bytes)] {
        deliver(board, header, bytes);
    });
}

}  // namespace bramble::simulation
