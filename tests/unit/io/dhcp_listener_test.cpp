// The listener on a wire of its own: a veth pair in a network namespace that the test's child makes
// and that is gone with it.
#include "services/io/dhcp_listener.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <sys/wait.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "provisioning/host/real_host.hpp"
#include "services/bytes/byte_writer.hpp"
#include "services/io/frames.hpp"

namespace bramble::io {
namespace {

using namespace std::chrono_literals;

const MacAddress board_mac({0xdc, 0xa6, 0x32, 0x01, 0x02, 0x03});

bool run(std::vector<std::string> argv) {
    host::RealHost host;
    host::Command command;
    command.argv = std::move(argv);
    return host::run_or_fail(host, command).has_value();
}

bool make_wire() {
    return ::unshare(CLONE_NEWNET) == 0 &&
           run({"ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth9"}) &&
           run({"ip", "address", "add", "172.16.1.1/24", "dev", "eth1"}) &&
           run({"ip", "link", "set", "eth1", "up"}) && run({"ip", "link", "set", "eth9", "up"});
}

// RFC 2131 §4.3.2, INIT-REBOOT: 'requested IP address' and no 'server identifier'; one message
// that is answered by an ACK and changes a lease.
std::vector<std::byte> init_reboot_request() {
    std::vector<std::byte> bytes(300);
    ByteWriter out(bytes);
    out.u32(0x01010600);  // BOOTREQUEST, Ethernet
    out.u32(0x1234);      // xid
    out.zeros(20);
    out.octets(board_mac.octets());
    out.zeros(10 + 64 + 128);
    out.u32(0x63825363);
    out.octets(std::array<std::uint8_t, 3>{53, 1, 3});
    out.octets(std::array<std::uint8_t, 6>{50, 4, 172, 16, 1, 3});
    out.u8(255);
    return bytes;
}

std::shared_ptr<const fleet::Fleet> fleet_of_one() {
    auto fleet = std::make_shared<fleet::Fleet>();
    fleet->appliance.interface = "eth1";
    fleet->appliance.address = *Ipv4Network::parse("172.16.1.1/24");
    fleet->profiles.resize(1);
    fleet->profiles[0].name = "lab";
    fleet->boards.resize(1);
    fleet->boards[0].name = "pi-01";
    fleet->boards[0].mac = board_mac;
    fleet->boards[0].address = *Ipv4Address::parse("172.16.1.3");
    fleet->boards[0].profile = "lab";
    return fleet;
}

// The board's end of the wire: sends from no address, sees every frame.
class Board {
public:
    Board() {
        frames_ = FileDescriptor(
            ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_IP))
        );
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_IP);
        address.sll_ifindex = find_network_interface("eth9")->index;
        ::bind(frames_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }

    bool send(std::span<const std::byte> bytes) {
        const MacAddress everyone({0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
        std::array<std::byte, 1500> frame{};
        const std::size_t size = write_udp_frame(
            frame,
            UdpEndpoint{board_mac, Ipv4Address(), dhcp::client_port},
            UdpEndpoint{everyone, Ipv4Address::broadcast(), dhcp::server_port},
            bytes
        );
        return ::send(frames_.get(), frame.data(), size, 0) == static_cast<ssize_t>(size);
    }

    // Frames addressed to the board, whose hardware address is not this interface's.
    std::size_t frames_to_board() {
        std::array<std::byte, 2000> frame{};
        std::size_t count = 0;
        while (::recv(frames_.get(), frame.data(), frame.size(), 0) > 0) {
            const auto mac = std::as_bytes(std::span(board_mac.octets()));
            if (std::equal(mac.begin(), mac.end(), frame.begin())) ++count;
        }
        return count;
    }

private:
    FileDescriptor frames_;
};

// Runs `check` in a child with a wire of its own; its answer is what went wrong, 0 for nothing.
void on_a_wire(const std::function<int()>& check) {
    if (::geteuid() != 0) GTEST_SKIP() << "a network namespace needs root";
    const pid_t child = ::fork();
    if (child == 0) ::_exit(make_wire() ? check() : 77);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this machine gives no network namespace";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

struct Seen {
    std::size_t changes = 0;
    std::size_t acknowledged = 0;
    std::size_t frames_before_persisting = 0;
    std::size_t frames = 0;
    DhcpListener::Counters counters;
};

// One INIT-REBOOT, with a state that takes the lease or does not.
int exchange(bool durable, Seen& seen) {
    Loop loop;
    Board board;
    auto opened = DhcpListener::open(
        loop, {*find_network_interface("eth1"), *Ipv4Address::parse("172.16.1.1"), true}
    );
    if (!opened) return 2;
    dhcp::Server server(fleet_of_one());
    (*opened)->start(
        server,
        {[&](std::span<const dhcp::LeaseChange> changes) {
             seen.frames_before_persisting += board.frames_to_board();
             seen.changes += changes.size();
             return durable;
         },
         [&](std::span<const dhcp::Event> events) {
             for (const dhcp::Event& event : events) {
                 if (std::holds_alternative<dhcp::Acknowledged>(event.what)) ++seen.acknowledged;
             }
         }}
    );
    if (!board.send(init_reboot_request())) return 3;
    Timer end = loop.make_timer([&loop] { loop.stop(); });
    end.expire_at(loop.now() + 300ms);
    loop.run();
    seen.frames = board.frames_to_board();
    seen.counters = (*opened)->counters();
    return 0;
}

// The promise: an acknowledged lease is on stable storage before the ACK leaves.
TEST(DhcpListener, TheAckLeavesAfterItsLeaseIsDurable) {
    on_a_wire([] {
        Seen seen;
        if (const int wrong = exchange(true, seen); wrong != 0) return wrong;
        if (seen.changes != 1) return 10;
        if (seen.frames_before_persisting != 0) return 11;
        if (seen.frames != 1) return 12;
        if (seen.acknowledged != 1) return 13;
        return seen.counters.sent == 1 ? 0 : 14;
    });
}

TEST(DhcpListener, NoAckLeavesWhenItsLeaseCannotBeStored) {
    on_a_wire([] {
        Seen seen;
        if (const int wrong = exchange(false, seen); wrong != 0) return wrong;
        if (seen.changes != 1) return 10;
        if (seen.frames_before_persisting != 0 || seen.frames != 0) return 11;
        if (seen.acknowledged != 0) return 13;
        return seen.counters.not_durable == 1 ? 0 : 14;
    });
}

// A veth pair says 10 Gb/s of itself; admission takes the link's speed from here.
TEST(NetworkInterface, SaysItsLinksSpeedWhereItHasOne) {
    on_a_wire([] {
        if (link_bits_per_second("eth1") != 10'000'000'000U) return 10;
        if (link_bits_per_second("lo")) return 11;
        return link_bits_per_second("no-such") ? 12 : 0;
    });
}

// Somebody on the address answers ARP; nobody does on another.
TEST(ConflictProber, TellsUsedAddressesFromFreeOnes) {
    on_a_wire([] {
        // Both ends are this machine's: it must believe that its own address asks from outside.
        const bool made = run({"ip", "address", "add", "172.16.1.9/24", "dev", "eth9"}) &&
                          run({"sysctl", "-qw", "net.ipv4.conf.eth9.accept_local=1"});
        if (!made) return 2;
        Loop loop;
        const auto interface = *find_network_interface("eth1");
        auto socket = PacketSocket::open(interface);
        if (!socket) return 3;
        std::map<Ipv4Address, bool> results;
        ConflictProber prober(loop, *socket, interface.mac, [&](Ipv4Address address, bool in_use) {
            results[address] = in_use;
            if (results.size() == 2) loop.stop();
        });
        const Ipv4Address used = *Ipv4Address::parse("172.16.1.9");
        const Ipv4Address free = *Ipv4Address::parse("172.16.1.10");
        prober.probe(used);
        prober.probe(free);
        prober.probe(free);  // one probe of an address at a time
        Timer end = loop.make_timer([&loop] { loop.stop(); });
        end.expire_at(loop.now() + 3s);
        loop.run();
        if (results.size() != 2) return 10;
        if (!results[used]) return 11;
        return results[free] ? 12 : 0;
    });
}

}  // namespace
}  // namespace bramble::io
