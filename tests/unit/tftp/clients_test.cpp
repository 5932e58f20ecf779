// Requests per second and transfers at once, by source address.
#include "services/tftp/clients.hpp"

#include <gtest/gtest.h>

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start{std::chrono::hours(24 * 365 * 50)};
constexpr Ipv4Address board({172, 16, 1, 3});
constexpr Ipv4Address other({172, 16, 1, 4});

int admitted(Clients& clients, Ipv4Address address, int tries, TimePoint now) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += clients.admit(address, now) ? 1 : 0;
    return count;
}

TEST(ClientsTest, ABurstThenARate) {
    Clients clients({.requests_per_second = 10, .request_burst = 20});
    EXPECT_EQ(admitted(clients, board, 100, start), 20);
    EXPECT_EQ(admitted(clients, board, 100, start + 1s), 10);
    EXPECT_EQ(admitted(clients, board, 100, start + 1h), 20);
}

TEST(ClientsTest, OneSourceDoesNotSpendAnothersTokens) {
    Clients clients({.requests_per_second = 10, .request_burst = 20});
    admitted(clients, board, 100, start);
    EXPECT_EQ(admitted(clients, other, 100, start), 20);
}

TEST(ClientsTest, AClockThatStandsStillGivesNothing) {
    TokenBucket bucket;
    EXPECT_TRUE(bucket.take(1, 1, start));
    EXPECT_FALSE(bucket.take(1, 1, start));
    EXPECT_FALSE(bucket.take(1, 1, start - 1h));
    EXPECT_TRUE(bucket.take(1, 1, start + 1s));
}

TEST(ClientsTest, TransfersStandInTheirClientsList) {
    Clients clients({});
    clients.admit(board, start);
    clients.admit(other, start);
    const Slot client = clients.find(board);
    for (const Slot transfer : {5U, 9U, 2U}) clients.add_transfer(client, transfer);
    clients.add_transfer(clients.find(other), 7);
    EXPECT_EQ(clients.transfers(client), 3U);
    EXPECT_EQ(clients.newest_transfer(client), 2U);
    EXPECT_EQ(clients.older_transfer(2), 9U);
    clients.remove_transfer(9);
    EXPECT_EQ(clients.older_transfer(2), 5U);
    EXPECT_EQ(clients.older_transfer(5), no_slot);
    clients.remove_transfer(2);
    clients.remove_transfer(5);
    EXPECT_EQ(clients.newest_transfer(client), no_slot);
    EXPECT_EQ(clients.transfers(client), 0U);
}

TEST(ClientsTest, AFullTableForgetsIdleSourcesOnly) {
    Clients clients({.requests_per_second = 1, .request_burst = 1, .clients_max = 4});
    for (std::uint32_t i = 0; i < 4; ++i) {
        ASSERT_TRUE(clients.admit(Ipv4Address(100 + i), start));
        clients.add_transfer(clients.find(Ipv4Address(100 + i)), i);
    }
    EXPECT_FALSE(clients.admit(board, start + 10s));  // all have transfers
    clients.remove_transfer(2);
    EXPECT_TRUE(clients.admit(board, start + 10s));
    EXPECT_EQ(clients.find(Ipv4Address(102)), no_slot);
    EXPECT_EQ(clients.size(), 4U);
}

}  // namespace
}  // namespace bramble::tftp
