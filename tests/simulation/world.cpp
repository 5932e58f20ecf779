#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bramble::simulation {

namespace {

using namespace std::chrono_literals;
using virtual_board::Board;
using virtual_board::Phase;
using virtual_board::UdpIn;
using virtual_board::UdpOut;

constexpr std::uint16_t dhcp_server_port = 67;
constexpr std::uint16_t dhcp_client_port = 68;
constexpr std::uint16_t tftp_port = 69;
constexpr std::size_t message_type_at = 242;  // boards write option 53 first
constexpr Duration mount_time = 30ms;
constexpr Duration report_time = 2ms;
constexpr Duration power_cycle_after = 20s;  // someone notices the board that hangs

}  // namespace

World::World(const Options& options, std::uint64_t seed)
    : options_(options),
      seed_(seed),
      chance_(seed),
      fleet_(make_fleet(options, seed)),
      network_(options, agenda_, Chance(seed ^ 0x6e7U)),
      appliance_(
          fleet_,
          agenda_,
          {[this](const dhcp::Reply& reply) { send_dhcp(reply); },
           [this](tftp::Peer to, std::uint16_t from, std::vector<std::byte> datagram) {
               send_tftp(to, from, std::move(datagram));
           },
           [this](Ipv4Address address) { return holder_of(address).has_value(); },
           [this](std::string what) { complain(std::move(what)); }}
      ),
      begun_(agenda_.now()) {
    for (std::size_t i = 0; i < fleet_.boards.size(); ++i) {
        Bench bench;
        bench.watch = std::make_unique<Watch>(*this, i);
        bench.board = std::make_unique<Board>(fleet_.boards[i].spec, bench.watch.get());
        benches_.push_back(std::move(bench));
    }
    plan_faults();
}

void World::complain(std::string what) {
    if (violations_.size() >= violations_max) return;
    const std::chrono::duration<double> since = agenda_.now() - begun_;
    violations_.push_back(fmt::format("at {:.3f} s: {}", since.count(), what));
}

void World::Watch::on_bytes(
    std::string_view path, std::uint64_t offset, std::span<const std::byte> bytes
) {
    const SimulatedBoard& board = world_.fleet_.boards[board_];
    const auto* own = world_.fleet_.find(board.name, path);
    const bool inside = own != nullptr && offset + bytes.size() <= own->size();
    if (inside && std::ranges::equal(bytes, std::span(*own).subspan(offset, bytes.size()))) return;
    world_.complain(fmt::format(
        "{} took {} bytes at {} of {} that are not its own", board.name, bytes.size(), offset, path
    ));
}

void World::Watch::on_file(const virtual_board::ReceivedFile& file) {
    const SimulatedBoard& board = world_.fleet_.boards[board_];
    const auto* own = world_.fleet_.find(board.name, file.path);
    if (own != nullptr && own->size() == file.size) return;
    world_.complain(fmt::format("{} has {} with {} bytes", board.name, file.path, file.size));
}

std::optional<std::size_t> World::holder_of(Ipv4Address address) const {
    for (std::size_t i = 0; i < benches_.size(); ++i) {
        if (benches_[i].board->address() == address) return i;
    }
    return std::nullopt;
}

void World::power(std::size_t board) {
    Bench& bench = benches_[board];
    if (bench.up_at) return;
    bench.dozing = false;
    bench.board->on_power(agenda_.now());
    settle(board);
}

// Lets out what the board wants to send and to have done, and remembers when it wakes.
void World::settle(std::size_t index) {
    Bench& bench = benches_[index];
    Board& board = *bench.board;
    while (auto out = board.poll_transmit(agenda_.now())) from_board(index, *out);
    while (auto action = board.poll_action()) act(index, *action);
    while (auto event = board.poll_event()) {
        const std::chrono::duration<double> since = event->at - begun_;
        fmt::print("{:11.4f} s  {}\n", since.count(), event->text);
    }
    if (board.phase() == Phase::hung && !bench.dozing) {
        bench.dozing = true;
        agenda_.after(power_cycle_after, [this, index] {
            if (benches_[index].dozing) power(index);
        });
    }
    if (board.booted() && !bench.up_at) {
        bench.up_at = agenda_.now();
        if (!fleet_.boards[index].stranger) ++up_;
    }
    wake_later(index);
}

void World::wake_later(std::size_t index) {
    Bench& bench = benches_[index];
    const auto due = bench.board->next_deadline();
    if (!due || (bench.woken_at && *bench.woken_at <= *due)) return;
    bench.woken_at = *due;
    agenda_.at(*due, [this, index, when = *due] {
        Bench& woken = benches_[index];
        if (woken.woken_at != when) return;
        woken.woken_at.reset();
        const auto still = woken.board->next_deadline();
        if (still && *still <= agenda_.now()) woken.board->on_deadline(agenda_.now());
        settle(index);
    });
}

void World::act(std::size_t index, const virtual_board::Action& action) {
    if (const auto* use = std::get_if<virtual_board::UseAddress>(&action)) {
        for (std::size_t other = 0; other < benches_.size(); ++other) {
            if (other == index || benches_[other].board->address() != use->network.address()) {
                continue;
            }
            complain(fmt::format(
                "{} and {} both hold {}",
                fleet_.boards[index].name,
                fleet_.boards[other].name,
                use->network.address().to_string()
            ));
        }
    } else if (const auto* root = std::get_if<virtual_board::MountRoot>(&action)) {
        agenda_.after(mount_time, [this, index, root = *root] { mount(index, root); });
    } else if (std::holds_alternative<virtual_board::ReportUp>(action)) {
        agenda_.after(report_time, [this, index] {
            const auto from = benches_[index].board->address();
            bool own = from && appliance_.takes_report(fleet_.boards[index], *from);
            if (!own && from && is_beyond_memory(index)) {
                ++unreported_;
                own = true;
            }
            benches_[index].board->on_report_result(own, agenda_.now());
            settle(index);
        });
    }
}

// Whose address a foreign server gave is overheard, never on disk: after a crash nobody knows it.
bool World::is_beyond_memory(std::size_t index) const {
    return benches_[index].foreign && !fleet_.boards[index].reserved && appliance_.crashes() > 0;
}

// An export is for its board's reserved address alone, and for whoever asks when it has none.
void World::mount(std::size_t index, const virtual_board::MountRoot& mount) {
    const SimulatedBoard& board = fleet_.boards[index];
    const auto from = benches_[index].board->address();
    const bool own_path = mount.path == fmt::format("/srv/boards/{}/root", board.name);
    if (!own_path) complain(fmt::format("{} mounts {}", board.name, mount.path));
    const bool allowed = own_path && (!board.reserved || from == board.reserved);
    const bramble::Result<void> refused = fail("access denied");
    benches_[index].board->on_mount_result(
        allowed ? bramble::Result<void>() : refused, agenda_.now()
    );
    settle(index);
}

// ---- frames from boards

void World::from_board(std::size_t board, const UdpOut& out) {
    if (out.destination_port == dhcp_server_port) return dhcp_from_board(board, out);
    if (is_doomed_last_ack(board, out)) return network_.lose();
    const bool rrq = out.destination_port == tftp_port;
    const tftp::Peer peer{out.source, out.source_port};
    network_.carry(
        rrq ? FrameKind::rrq : FrameKind::tftp,
        board,
        [this, peer, port = out.destination_port, bytes = out.bytes] {
            appliance_.on_tftp(peer, port, bytes);
        }
    );
}

// The ACK of a transfer's last block, of which a seed loses some.
bool World::is_doomed_last_ack(std::size_t board, const UdpOut& out) {
    Bench& bench = benches_[board];
    if (bench.losing_ack_of != out.source_port || out.bytes.size() != 4) return false;
    bench.losing_ack_of.reset();
    --bench.last_acks_to_lose;
    return true;
}

void World::dhcp_from_board(std::size_t board, const UdpOut& out) {
    const bool request = out.bytes[message_type_at] == std::byte{3};
    if (benches_[board].foreign) foreign_server(board, out.bytes);
    network_.carry(
        request ? FrameKind::request : FrameKind::discover,
        board,
        [this, source = out.source, bytes = out.bytes] {
            appliance_.on_dhcp(bytes, {source, dhcp_client_port});
        }
    );
}

// ---- frames to boards

void World::deliver(std::size_t board, const UdpIn& header, std::span<const std::byte> bytes) {
    UdpIn datagram = header;
    datagram.bytes = bytes;
    benches_[board].board->on_datagram(datagram, agenda_.now());
    settle(board);
}

void World::send_dhcp(const dhcp::Reply& reply) {
    const auto kind = reply.type == dhcp::MessageType::offer ? FrameKind::offer
                      : reply.type == dhcp::MessageType::ack ? FrameKind::ack
                                                             : FrameKind::nak;
    UdpIn header{server_address, dhcp_server_port, Ipv4Address::broadcast(), dhcp_client_port, {}};
    const auto* hardware = std::get_if<dhcp::ToHardware>(&reply.destination);
    const auto* client = std::get_if<dhcp::ToClient>(&reply.destination);
    if (hardware != nullptr) header.destination = hardware->yiaddr;
    if (client != nullptr) header.destination = client->address;
    for (std::size_t i = 0; i < benches_.size(); ++i) {
        if (hardware != nullptr && fleet_.boards[i].spec.mac != hardware->chaddr) continue;
        if (client != nullptr && benches_[i].board->address() != client->address) continue;
        network_.carry(kind, i, [this, i, header, bytes = reply.bytes] {
            deliver(i, header, bytes);
        });
    }
}

void World::send_tftp(tftp::Peer to, std::uint16_t from_port, std::vector<std::byte> datagram) {
    const auto board = holder_of(to.address);
    if (!board) return;
    Bench& bench = benches_[*board];
    constexpr std::size_t smallest_full_block = 4 + 512;
    const bool last_data = datagram.size() >= 4 && datagram[1] == std::byte{3} &&
                           datagram.size() < smallest_full_block;
    if (last_data && bench.last_acks_to_lose > 0) bench.losing_ack_of = to.port;
    const UdpIn header{server_address, from_port, to.address, to.port, {}};
    network_.carry(
        FrameKind::tftp,
        *board,
        [this, board = *board, header, bytes = std::move(datagram)] {
            // Frames go to the hardware that had the address when they left.
            deliver(board, header, bytes);
        }
    );
}

}  // namespace bramble::simulation
