// A real socket whose queue is full: a wire of ten megabits a second, in a network namespace that
// the test's child makes and that is gone with it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "provisioning/host/real_host.hpp"
#include "services/io/datagram_sender.hpp"
#include "services/io/network_interface.hpp"
#include "services/io/udp_socket.hpp"

namespace bramble::io {
namespace {

constexpr std::size_t blocks = DatagramSender::batch_max;
constexpr std::size_t header_octets = 14 + 20 + 8;  // Ethernet, IPv4, UDP

bool run(std::vector<std::string> argv) {
    host::RealHost host;
    host::Command command;
    command.argv = std::move(argv);
    return host::run_or_fail(host, command).has_value();
}

bool make_slow_wire() {
    return ::unshare(CLONE_NEWNET) == 0 &&
           run({"ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth9"}) &&
           run({"ip", "address", "add", "172.16.1.1/24", "dev", "eth1"}) &&
           run({"ip", "link", "set", "eth1", "up"}) && run({"ip", "link", "set", "eth9", "up"}) &&
           run(
               {"ip",
                "neighbour",
                "add",
                "172.16.1.3",
                "lladdr",
                "dc:a6:32:01:02:03",
                "dev",
                "eth1"}
           ) &&
           // What waits here is still the socket's: its buffer fills, nothing is dropped.
           run(
               {"tc",
                "qdisc",
                "add",
                "dev",
                "eth1",
                "root",
                "tbf",
                "rate",
                "10mbit",
                "burst",
                "3000",
                "limit",
                "4000000"}
           );
}

FileDescriptor boards_end() {
    FileDescriptor frames(
        ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_IP))
    );
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IP);
    address.sll_ifindex = find_network_interface("eth9")->index;
    ::bind(frames.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return frames;
}

// The first octet of each datagram's header, as they arrived.
std::vector<std::size_t> arrived(int frames) {
    std::array<std::byte, 2000> frame{};
    std::vector<std::size_t> out;
    while (::recv(frames, frame.data(), frame.size(), 0) > 0) {
        out.push_back(std::to_integer<std::size_t>(frame[header_octets]));
    }
    return out;
}

// What went wrong, 0 for nothing.
int send_through_a_full_queue() {
    const FileDescriptor frames = boards_end();
    UdpSocketOptions options;
    options.address = *Ipv4Address::parse("172.16.1.1");
    options.send_buffer_bytes = 20'000;
    auto socket = open_udp_socket(options);
    if (!socket) return 2;

    const std::string payload(1468, 'x');
    std::vector<tftp::Outgoing> pending(blocks);
    for (std::size_t i = 0; i < blocks; ++i) {
        pending[i].peer = {*Ipv4Address::parse("172.16.1.3"), 1234};
        pending[i].header_size = 4;
        pending[i].header[0] = static_cast<std::byte>(i);
        pending[i].payload = std::as_bytes(std::span(payload));
    }
    DatagramSender sender;
    sender.disable_segmentation();
    std::size_t sent = 0;
    unsigned blocked = 0;
    std::vector<std::size_t> seen;
    for (unsigned turn = 0; sent < blocks && turn < 10 * blocks; ++turn) {
        const auto progress = sender.send(socket->get(), std::span(pending).subspan(sent));
        sent += progress.consumed;
        if (progress.state == DatagramSender::State::blocked) {
            ++blocked;
            pollfd writable{socket->get(), POLLOUT, 0};
            if (::poll(&writable, 1, 1000) != 1) return 3;  // it must become writable again
        }
        const auto more = arrived(frames.get());
        seen.insert(seen.end(), more.begin(), more.end());
    }
    if (sent != blocks) return 4;
    if (blocked == 0) return 5;  // the queue was never full: this test showed nothing
    if (sender.counters().blocked != blocked || sender.counters().refused != 0) return 6;
    for (unsigned wait = 0; seen.size() < blocks && wait < 200; ++wait) {
        ::usleep(10'000);
        const auto more = arrived(frames.get());
        seen.insert(seen.end(), more.begin(), more.end());
    }
    if (seen.size() != blocks) return 7;  // none lost, none twice
    for (std::size_t i = 0; i < blocks; ++i) {
        if (seen[i] != i) return 8;
    }
    return 0;
}

TEST(FullQueue, EveryDatagramLeavesOnceAndInOrderWhenThereIsRoomAgain) {
    if (::geteuid() != 0) GTEST_SKIP() << "a network namespace needs root";
    const pid_t child = ::fork();
    if (child == 0) ::_exit(make_slow_wire() ? send_through_a_full_queue() : 77);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this machine gives no slow wire (sch_tbf)";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace bramble::io
