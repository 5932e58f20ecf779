#include "services/io/udp_socket.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace bramble::io {
namespace {

const Ipv4Address loopback(std::array<std::uint8_t, 4>{127, 0, 0, 1});

UdpSocketOptions on_loopback(std::uint16_t port = 0) {
    UdpSocketOptions options;
    options.address = loopback;
    options.port = port;
    options.packet_info = true;
    return options;
}

void send_text(int fd, std::string_view text, std::uint16_t port) {
    const sockaddr_in to = to_sockaddr(loopback, port);
    ASSERT_EQ(
        ::sendto(
            fd, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to
        ),
        static_cast<ssize_t>(text.size())
    );
}

TEST(ReceiveBatch, TakesManyDatagramsAtOnceWithTheirAddresses) {
    const auto server = open_udp_socket(on_loopback());
    const auto client = open_udp_socket(on_loopback());
    ASSERT_TRUE(server && client);
    const std::uint16_t port = local_port(server->get());
    send_text(client->get(), "one", port);
    send_text(client->get(), "", port);
    send_text(client->get(), "longer than eight", port);
    send_text(client->get(), "four", port);

    ReceiveBatch batch(3, 8);
    ASSERT_EQ(batch.receive(server->get()), 3U);
    const ReceivedDatagram first = batch.at(0);
    EXPECT_EQ(first.source, loopback);
    EXPECT_EQ(first.source_port, local_port(client->get()));
    EXPECT_EQ(first.destination, loopback);
    EXPECT_GT(first.interface_index, 0);
    EXPECT_EQ(first.bytes.size(), 3U);
    EXPECT_FALSE(first.truncated);
    EXPECT_TRUE(batch.at(1).bytes.empty());
    EXPECT_TRUE(batch.at(2).truncated);
    EXPECT_EQ(batch.at(2).bytes.size(), 8U);
    ASSERT_EQ(batch.receive(server->get()), 1U);
    EXPECT_EQ(batch.at(0).bytes.size(), 4U);
    EXPECT_EQ(batch.receive(server->get()), 0U);
}

TEST(SendBatch, SendsAllThatCanGoFromItsAddress) {
    const auto receiver = open_udp_socket(on_loopback());
    UdpSocketOptions anywhere;
    const auto sender = open_udp_socket(anywhere);
    ASSERT_TRUE(receiver && sender);
    const std::uint16_t port = local_port(receiver->get());
    const Ipv4Address source(std::array<std::uint8_t, 4>{127, 0, 0, 9});

    SendBatch batch(4, source);
    const std::string one = "one";
    const std::string two = "two!";
    const std::string too_long(70'000, 'x');  // longer than a datagram can be
    batch.add(std::as_bytes(std::span(one)), loopback, port);
    batch.add(std::as_bytes(std::span(too_long)), loopback, port);
    batch.add(std::as_bytes(std::span(two)), loopback, port);
    EXPECT_EQ(batch.size(), 3U);
    EXPECT_FALSE(batch.full());
    EXPECT_EQ(batch.flush(sender->get()), 2U);
    EXPECT_EQ(batch.size(), 0U);

    ReceiveBatch received(4, 64);
    ASSERT_EQ(received.receive(receiver->get()), 2U);
    EXPECT_EQ(received.at(0).bytes.size(), one.size());
    EXPECT_EQ(received.at(1).bytes.size(), two.size());
    EXPECT_EQ(received.at(0).source, source);
    EXPECT_EQ(batch.flush(sender->get()), 0U) << "nothing stays from the last time";
}

// Fact sheet 8, rule 21: a second server on the port must fail, not share it.
TEST(OpenUdpSocket, NeverSharesAPort) {
    const auto first = open_udp_socket(on_loopback());
    ASSERT_TRUE(first);
    const std::uint16_t port = local_port(first->get());
    const auto second = open_udp_socket(on_loopback(port));
    ASSERT_FALSE(second);
    const std::string number = std::to_string(port);
    EXPECT_EQ(
        second.error().message,
        "UDP 127.0.0.1:" + number + " is taken by another program: `ss -ulpn 'sport = :" + number +
            "'` names it; stop it, or set what it does to off here"
    );
}

TEST(OpenUdpSocket, SaysWhatToDoAboutAnAddressThatIsNotThere) {
    UdpSocketOptions options;
    options.address = *Ipv4Address::parse("192.0.2.1");
    const auto socket = open_udp_socket(options);
    ASSERT_FALSE(socket);
    EXPECT_EQ(
        socket.error().message,
        "192.0.2.1 is not an address of this machine: give it to the interface (`ip address add "
        "…`) or correct appliance.address"
    );
}

TEST(SendFailure, EveryErrnoHasABranch) {
    EXPECT_EQ(classify_send_error(EAGAIN), SendFailure::again);
    EXPECT_EQ(classify_send_error(ENOBUFS), SendFailure::congestion);
    EXPECT_EQ(classify_send_error(ENOMEM), SendFailure::congestion);
    EXPECT_EQ(classify_send_error(EIO), SendFailure::offload);
    for (const int error : {EPERM, ENETUNREACH, EHOSTUNREACH, EINVAL, EMSGSIZE, ECONNREFUSED}) {
        EXPECT_EQ(classify_send_error(error), SendFailure::refused);
    }
}

}  // namespace
}  // namespace bramble::io
