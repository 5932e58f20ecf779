#include "services/dhcp/lease_table.hpp"

#include <gtest/gtest.h>

#include "services/dhcp/client_memory.hpp"
#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp {
namespace {

using namespace std::chrono_literals;
using test::at;
using test::ip;

ClientKey client(unsigned n) {
    return ClientKey::of_mac(test::mac(test::mac_number(n)));
}

Lease lease_of(unsigned n, Ipv4Address address, TimePoint expires) {
    Lease lease;
    lease.address = address;
    lease.mac = test::mac(test::mac_number(n));
    lease.expires = expires;
    return lease;
}

class LeaseTableTest : public testing::Test {
protected:
    void use_pool(std::string_view from, std::string_view to, std::size_t kept = 0) {
        Pool pool;
        pool.range = Ipv4Range{ip(from), ip(to)};
        pool.kept_for_boards = kept;
        table.set_pool(pool);
    }

    std::optional<Ipv4Address> offer(unsigned n, TimePoint now, Claim claim = Claim::stranger) {
        const auto choice = table.choose(client(n), std::nullopt, claim, now);
        if (!choice) return std::nullopt;
        table.offer(choice->address, client(n), claim, now);
        return choice->address;
    }

    LeaseTable table;
};

TEST_F(LeaseTableTest, WithoutAPoolThereIsNothingToGive) {
    EXPECT_FALSE(table.choose(client(1), std::nullopt, Claim::board, at(0s)));
    EXPECT_FALSE(table.available(ip("172.16.1.100"), client(1), at(0s)));
}

TEST_F(LeaseTableTest, ExcludedAddressesAreNeverGiven) {
    Pool pool;
    pool.range = Ipv4Range{ip("172.16.1.100"), ip("172.16.1.103")};
    pool.excluded = {ip("172.16.1.101"), ip("172.16.1.103"), ip("172.16.1.9")};
    table.set_pool(pool);
    EXPECT_EQ(offer(1, at(0s)), ip("172.16.1.100"));
    EXPECT_EQ(offer(2, at(0s)), ip("172.16.1.102"));
    EXPECT_EQ(offer(3, at(0s)), std::nullopt);
}

TEST_F(LeaseTableTest, OfferIsOverAfterItsTime) {
    use_pool("172.16.1.100", "172.16.1.100");
    ASSERT_TRUE(offer(1, at(0s)));
    EXPECT_EQ(table.next_deadline(), at(0s) + offer_hold);
    EXPECT_FALSE(table.available(ip("172.16.1.100"), client(2), at(0s) + offer_hold - 1ns));
    EXPECT_TRUE(table.available(ip("172.16.1.100"), client(2), at(0s) + offer_hold));
    table.expire(at(0s) + offer_hold);
    EXPECT_EQ(table.next_deadline(), std::nullopt);
    EXPECT_EQ(table.address_of(client(1)), std::nullopt);
}

// Only when the pool is full, and only an offer that nobody took up for a while.
TEST_F(LeaseTableTest, OldOfferOfAFullPoolGoesToTheNext) {
    use_pool("172.16.1.100", "172.16.1.101");
    ASSERT_TRUE(offer(1, at(0s)));
    ASSERT_TRUE(offer(2, at(1s)));
    EXPECT_FALSE(offer(3, at(0s) + offer_reclaim_after - 1ns));
    const auto choice =
        table.choose(client(3), std::nullopt, Claim::stranger, at(0s) + offer_reclaim_after);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->address, ip("172.16.1.100"));
    EXPECT_TRUE(choice->reclaimed);
    EXPECT_TRUE(choice->fresh);
}

TEST_F(LeaseTableTest, BoardTakesAStrangersOfferAtOnceAndNobodyTakesABoards) {
    use_pool("172.16.1.100", "172.16.1.100");
    ASSERT_TRUE(offer(1, at(0s)));
    EXPECT_EQ(offer(2, at(1ms), Claim::board), ip("172.16.1.100"));
    EXPECT_FALSE(offer(3, at(30s)));
    EXPECT_FALSE(offer(4, at(30s), Claim::board));
}

TEST_F(LeaseTableTest, StrangersLeaveAddressesForBoards) {
    use_pool("172.16.1.100", "172.16.1.103", 2);
    EXPECT_TRUE(offer(1, at(0s)));
    EXPECT_TRUE(offer(2, at(0s)));
    EXPECT_FALSE(offer(3, at(0s)));
    EXPECT_TRUE(offer(4, at(0s), Claim::board));
    EXPECT_FALSE(offer(3, at(0s)));
    EXPECT_TRUE(offer(5, at(0s), Claim::board));
}

TEST_F(LeaseTableTest, LongestOverLeaseIsReusedFirst) {
    use_pool("172.16.1.100", "172.16.1.102");
    for (unsigned n = 1; n <= 3; ++n) {
        const auto address = offer(n, at(0s));
        table.commit(lease_of(n, *address, at(0s) + n * 10min), client(n), Claim::stranger);
    }
    EXPECT_FALSE(offer(4, at(5min)));
    EXPECT_EQ(offer(4, at(60min)), ip("172.16.1.100"));
    EXPECT_EQ(table.address_of(client(1)), std::nullopt);
}

TEST_F(LeaseTableTest, CommitElsewhereForgetsTheOldAddress) {
    use_pool("172.16.1.100", "172.16.1.102");
    table.commit(lease_of(1, ip("172.16.1.100"), at(1h)), client(1), Claim::stranger);
    const auto changes =
        table.commit(lease_of(1, ip("172.16.1.3"), at(1h)), client(1), Claim::board);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(std::get<RemoveLease>(changes[0]).address, ip("172.16.1.100"));
    EXPECT_EQ(std::get<PutLease>(changes[1]).lease.address, ip("172.16.1.3"));
    EXPECT_TRUE(table.available(ip("172.16.1.100"), client(2), at(0s)));
}

TEST_F(LeaseTableTest, OfferOnALeaseThatIsOverGivesTheLeaseBackWhenItLapses) {
    use_pool("172.16.1.100", "172.16.1.101");
    table.commit(lease_of(1, ip("172.16.1.100"), at(1h)), client(1), Claim::stranger);
    EXPECT_EQ(offer(1, at(2h)), ip("172.16.1.100"));
    table.expire(at(3h));
    EXPECT_EQ(table.address_of(client(1)), ip("172.16.1.100"));
    EXPECT_NE(table.lease_at(ip("172.16.1.100")), nullptr);
    EXPECT_EQ(table.live_lease_at(ip("172.16.1.100"), at(3h)), nullptr);
}

TEST_F(LeaseTableTest, QuarantineIsBoundedByHalfThePoolAndByTime) {
    use_pool("172.16.1.100", "172.16.1.103");
    for (unsigned n = 1; n <= 4; ++n) {
        const auto address = offer(n, at(0s));
        ASSERT_TRUE(address);
        table.quarantine(*address, at(0s) + n * 1s);
    }
    EXPECT_EQ(table.quarantined(), 2U);
    table.expire(at(4s) + quarantine_time);
    EXPECT_EQ(table.quarantined(), 0U);
    EXPECT_TRUE(offer(5, at(1h)));
}

TEST_F(LeaseTableTest, QuarantineOfALeasedAddressTellsTheStore) {
    use_pool("172.16.1.100", "172.16.1.103");
    table.commit(lease_of(1, ip("172.16.1.100"), at(1h)), client(1), Claim::stranger);
    const auto change = table.quarantine(ip("172.16.1.100"), at(0s));
    ASSERT_TRUE(change);
    EXPECT_EQ(std::get<RemoveLease>(*change).address, ip("172.16.1.100"));
    EXPECT_FALSE(table.quarantine(ip("172.16.1.3"), at(0s)));  // not the pool's
}

TEST_F(LeaseTableTest, LeasesOutliveTheirPool) {
    use_pool("172.16.1.100", "172.16.1.103");
    table.commit(lease_of(1, ip("172.16.1.100"), at(1h)), client(1), Claim::stranger);
    ASSERT_TRUE(offer(2, at(0s)));
    use_pool("172.16.1.150", "172.16.1.153");
    EXPECT_NE(table.live_lease_at(ip("172.16.1.100"), at(0s)), nullptr);
    EXPECT_FALSE(table.available(ip("172.16.1.100"), client(1), at(0s)));
    EXPECT_EQ(offer(1, at(0s)), ip("172.16.1.150"));
    table.expire(at(2min));
    use_pool("172.16.1.100", "172.16.1.103");
    EXPECT_EQ(table.live_leases(at(0s)).size(), 1U);
    for (unsigned n = 11; n <= 13; ++n) EXPECT_TRUE(offer(n, at(3min)));
    EXPECT_FALSE(offer(14, at(3min)));
}

TEST_F(LeaseTableTest, HugePoolIsUsedUpToItsBound) {
    use_pool("10.0.0.0", "10.255.255.255");
    EXPECT_TRUE(table.pool().contains(ip("10.0.255.255")));
    EXPECT_FALSE(table.pool().contains(ip("10.1.0.0")));
    EXPECT_EQ(offer(1, at(0s)), ip("10.0.0.0"));
}

TEST_F(LeaseTableTest, RestoredLeasesKeepTheirOwners) {
    use_pool("172.16.1.100", "172.16.1.101");
    table.restore(lease_of(1, ip("172.16.1.101"), at(1h)));
    table.restore(lease_of(1, ip("172.16.1.100"), at(30min)));  // an older one
    EXPECT_EQ(offer(1, at(0s)), ip("172.16.1.101"));
    EXPECT_FALSE(table.available(ip("172.16.1.100"), client(2), at(0s)));
    EXPECT_TRUE(table.available(ip("172.16.1.100"), client(2), at(31min)));
}

TEST(ClientMemoryTest, IsBoundedAndForgetsTheOldest) {
    ClientMemory memory;
    for (unsigned n = 0; n < remembered_clients_max; ++n) {
        memory.touch(test::mac(test::mac_number(n)));
    }
    memory.touch(test::mac(test::mac_number(0)));  // young again
    memory.touch(test::mac(test::mac_number(1'000'000)));
    EXPECT_EQ(memory.size(), remembered_clients_max);
    EXPECT_NE(memory.find(test::mac(test::mac_number(0))), nullptr);
    EXPECT_EQ(memory.find(test::mac(test::mac_number(1))), nullptr);
}

}  // namespace
}  // namespace bramble::dhcp
