// Any datagrams to the DHCP parser and to a server of a small fleet: nothing may crash, what parses
// must survive the round trip, and every reply must be a message that a client can read.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "services/dhcp/message.hpp"
#include "services/dhcp/pxe_options.hpp"
#include "services/dhcp/relay_agent.hpp"
#include "services/dhcp/server.hpp"

namespace {

using namespace bramble;
using namespace std::chrono_literals;

void require(bool condition) {
    if (!condition) std::abort();
}

std::shared_ptr<const fleet::Fleet> small_fleet(fleet::DhcpMode mode) {
    auto out = std::make_shared<fleet::Fleet>();
    out->appliance.address = Ipv4Network(Ipv4Address(0xac100101), 24);
    out->appliance.dhcp.mode = mode;
    out->appliance.dhcp.pool = Ipv4Range{Ipv4Address(0xac100164), Ipv4Address(0xac100167)};
    out->appliance.dhcp.router = Ipv4Address(0xac1001fe);
    out->appliance.unknown_boards = fleet::EnrollUnknown{"lab"};
    fleet::Profile lab;
    lab.name = "lab";
    lab.dhcp_bootfile = "grub/grubaa64.efi";
    out->profiles.push_back(lab);
    fleet::Board board;
    board.name = "pi-01";
    board.profile = "lab";
    board.serial = Serial(0x1234abcd);
    board.address = Ipv4Address(0xac100103);
    out->boards.push_back(board);
    return out;
}

void check(const dhcp::Outcome& outcome) {
    for (const dhcp::Reply& reply : outcome.replies) {
        require(reply.bytes.size() <= dhcp::reply_bytes_max);
        require(reply.bytes.size() >= dhcp::bootp_bytes_min);
        const auto message = dhcp::parse(reply.bytes);
        require(message.has_value() && message->op == dhcp::Operation::reply);
    }
}

void feed(dhcp::Server& server, std::span<const std::byte> input) {
    constexpr std::size_t datagrams_max = 16;
    TimePoint now = TimePoint(1h);
    for (std::size_t i = 0; i < datagrams_max && !input.empty(); ++i) {
        // One octet says how long the next datagram is (0: all that is left), from where and when.
        const auto control = std::to_integer<unsigned>(input[0]);
        input = input.subspan(1);
        const std::size_t wanted = (control & 15U) == 0 ? input.size() : (control & 15U) * 40;
        const auto datagram = input.first(std::min(wanted, input.size()));
        input = input.subspan(datagram.size());
        dhcp::Arrival arrival;
        if ((control & 16U) != 0) arrival.source = Ipv4Address(0xac100164);
        if ((control & 32U) != 0) arrival.local_port = dhcp::proxy_port;
        now += (control & 64U) != 0 ? Duration(10min) : Duration(1s);
        const dhcp::Outcome outcome = server.on_message(datagram, arrival, now);
        check(outcome);
        const dhcp::Sender sender{Ipv4Address(0xac100109), MacAddress({2, 0, 0, 0, 0, 9})};
        const dhcp::Outcome overheard = server.on_overheard(datagram, sender, now);
        require(overheard.replies.empty() && overheard.lease_changes.empty());
        require(overheard.events.size() <= 2);
        for (const dhcp::Probe& probe : outcome.probes) {
            if ((control & 128U) != 0)
                check(server.on_probe_result(probe.address, i % 2 == 0, now));
        }
        if (server.next_deadline()) check(server.on_deadline(now));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = std::as_bytes(std::span(data, size));
    if (input.empty()) return 0;
    if (const auto message = dhcp::parse(input.subspan(1))) {
        const auto again = dhcp::parse(dhcp::emit(*message));
        // Splitting a long option costs octets: only then may the copy be too long to be read.
        if (dhcp::wire_size(*message) <= dhcp::message_bytes_max) {
            require(again.has_value() && *again == *message);
        }
    }
    static_cast<void>(dhcp::parse_pxe_options(input));
    static_cast<void>(dhcp::parse_relay_agent(input));
    for (const auto mode :
         {fleet::DhcpMode::authoritative, fleet::DhcpMode::proxy, fleet::DhcpMode::off}) {
        dhcp::Server server(small_fleet(mode));
        feed(server, input);
    }
    return 0;
}
