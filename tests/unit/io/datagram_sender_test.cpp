#include "services/io/datagram_sender.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/io/udp_socket.hpp"

namespace bramble::io {
namespace {

const Ipv4Address loopback(std::array<std::uint8_t, 4>{127, 0, 0, 1});

class DatagramSenderTest : public testing::Test {
protected:
    void SetUp() override {
        UdpSocketOptions options;
        options.address = loopback;
        options.receive_buffer_bytes = 1 << 20;
        server_ = std::move(*open_udp_socket(options));
        for (FileDescriptor& client : clients_) client = std::move(*open_udp_socket(options));
    }

    tftp::Outgoing datagram(std::size_t client, std::string_view head, std::string_view payload) {
        tftp::Outgoing out;
        out.peer = {loopback, local_port(clients_[client].get())};
        out.header_size = static_cast<std::uint16_t>(head.size());
        const auto bytes = std::as_bytes(std::span(head));
        std::copy(bytes.begin(), bytes.end(), out.header.begin());
        out.payload = std::as_bytes(std::span(payload));
        return out;
    }

    std::vector<std::string> received(std::size_t client) {
        ReceiveBatch batch(64, 2048);
        std::vector<std::string> out;
        while (const std::size_t count = batch.receive(clients_[client].get())) {
            for (std::size_t i = 0; i < count; ++i) {
                const auto bytes = batch.at(i).bytes;
                out.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            }
        }
        return out;
    }

    FileDescriptor server_;
    std::array<FileDescriptor, 2> clients_;
    DatagramSender sender_;
};

TEST_F(DatagramSenderTest, SendsManyPeersWithOneCall) {
    const std::vector<tftp::Outgoing> pending = {
        datagram(0, "one ", "aaa"), datagram(1, "two ", "bb"), datagram(0, "err", "")};
    const auto progress = sender_.send(server_.get(), pending);
    EXPECT_EQ(progress.consumed, 3U);
    EXPECT_EQ(progress.state, DatagramSender::State::done);
    EXPECT_EQ(sender_.counters().system_calls, 1U);
    EXPECT_EQ(received(0), (std::vector<std::string>{"one aaa", "err"}));
    EXPECT_EQ(received(1), (std::vector<std::string>{"two bb"}));
}

// sendmmsg has one set of flags for a call: what confirms a neighbour goes apart, in its order.
TEST_F(DatagramSenderTest, WhatConfirmsANeighbourGoesInCallsOfItsOwn) {
    std::vector<tftp::Outgoing> pending = {
        datagram(0, "1", "a"), datagram(0, "2", "b"), datagram(0, "3", "c"), datagram(0, "4", "d")};
    pending[1].peer_is_there = pending[2].peer_is_there = true;
    const auto progress = sender_.send(server_.get(), pending);
    EXPECT_EQ(progress.consumed, 4U);
    EXPECT_EQ(progress.state, DatagramSender::State::done);
    EXPECT_EQ(sender_.counters().system_calls, 3U);
    EXPECT_EQ(received(0), (std::vector<std::string>{"1a", "2b", "3c", "4d"}));
}

// RFC 7440: a window is consecutive blocks to one peer; each must arrive as a datagram of its own.
TEST_F(DatagramSenderTest, AWindowLeavesSegmentedAndArrivesBlockByBlock) {
    std::vector<tftp::Outgoing> pending;
    const std::string block(1468, 'x');
    for (char c = 'a'; c < 'i'; ++c) pending.push_back(datagram(0, std::string(4, c), block));
    pending.push_back(datagram(0, "last", "end"));
    pending.push_back(datagram(0, "next", block));
    EXPECT_EQ(sender_.send(server_.get(), pending).consumed, 10U);
    EXPECT_EQ(sender_.counters().segmented, 9U);
    const auto arrived = received(0);
    ASSERT_EQ(arrived.size(), 10U);
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(arrived[i], std::string(4, static_cast<char>('a' + i)) + block);
    }
    EXPECT_EQ(arrived[8], "lastend");
    EXPECT_EQ(arrived[9], "next" + block);
}

TEST_F(DatagramSenderTest, AWindowArrivesWithoutSegmentationToo) {
    sender_.disable_segmentation();
    std::vector<tftp::Outgoing> pending;
    const std::string block(1468, 'x');
    for (char c = 'a'; c < 'e'; ++c) pending.push_back(datagram(0, std::string(4, c), block));
    EXPECT_EQ(sender_.send(server_.get(), pending).consumed, 4U);
    EXPECT_EQ(sender_.counters().segmented, 0U);
    EXPECT_EQ(received(0).size(), 4U);
}

TEST_F(DatagramSenderTest, GroupsNoMoreThanOneSendCanCarry) {
    std::vector<tftp::Outgoing> pending;
    const std::string block(1468, 'x');
    for (int i = 0; i < 100; ++i) pending.push_back(datagram(0, "data", block));
    EXPECT_EQ(sender_.send(server_.get(), pending).consumed, 100U);
    EXPECT_EQ(received(0).size(), 100U);
}

TEST_F(DatagramSenderTest, TakesAtMostOneBatch) {
    std::vector<tftp::Outgoing> pending(
        DatagramSender::batch_max + 5, datagram(0, "data", "payload")
    );
    EXPECT_EQ(sender_.send(server_.get(), pending).consumed, DatagramSender::batch_max);
}

// A datagram that the machine will not send must not stand in the way of the others.
TEST_F(DatagramSenderTest, SkipsWhatIsRefused) {
    tftp::Outgoing unreachable = datagram(0, "lost", "");
    unreachable.peer.port = 0;  // EINVAL
    const std::vector<tftp::Outgoing> pending = {
        datagram(0, "one", ""), unreachable, datagram(0, "two", "")};
    const auto progress = sender_.send(server_.get(), pending);
    EXPECT_EQ(progress.consumed, 3U);
    EXPECT_EQ(sender_.counters().refused, 1U);
    EXPECT_EQ(received(0), (std::vector<std::string>{"one", "two"}));
}

}  // namespace
}  // namespace bramble::io
