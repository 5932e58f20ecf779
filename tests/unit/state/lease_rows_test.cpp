// Leases on disk: what was written comes back after a restart, and what does not read is left out
// alone (attack class D5).
#include <gtest/gtest.h>

#include "tests/unit/state/state_file.hpp"

namespace bramble::state {
namespace {

using LeaseRows = StateFile;

TEST_F(LeaseRows, WhatIsWrittenComesBackAfterAReopen) {
    dhcp::Lease full = lease_of(3);
    full.client_id = {0xff, 0x00, 0x7f, 0x80};
    full.serial = Serial(0x0b154510);
    full.hostname = "pi-3";
    const dhcp::Lease bare = lease_of(4);
    {
        Store store = open();
        const std::vector<dhcp::LeaseChange> changes = {
            dhcp::PutLease{full}, dhcp::PutLease{bare}, dhcp::PutLease{lease_of(5)}};
        ASSERT_TRUE(store.write(changes));
        ASSERT_TRUE(store.write(std::vector<dhcp::LeaseChange>{
            dhcp::RemoveLease{lease_of(5).address}, dhcp::RemoveLease{lease_of(6).address}}));
    }
    const auto rows = open().leases().value();
    EXPECT_EQ(rows.values, (std::vector<dhcp::Lease>{full, bare}));
    EXPECT_TRUE(rows.skipped.empty());
}

TEST_F(LeaseRows, OneLeasePerAddressTheLastOneCounts) {
    Store store = open();
    dhcp::Lease later = lease_of(9);
    later.address = lease_of(3).address;
    ASSERT_TRUE(store.write(std::vector<dhcp::LeaseChange>{
        dhcp::PutLease{lease_of(3)}, dhcp::PutLease{later}}));
    EXPECT_EQ(store.leases()->values, std::vector<dhcp::Lease>{later});
}

// Every client identifier that fits into option 61.
TEST_F(LeaseRows, ClientIdentifiersOfEveryLength) {
    Store store = open();
    for (std::size_t length = 0; length <= 255; ++length) {
        dhcp::Lease lease = lease_of(3);
        lease.client_id.assign(length, static_cast<std::uint8_t>(length));
        ASSERT_TRUE(store.write(std::vector<dhcp::LeaseChange>{dhcp::PutLease{lease}}));
        ASSERT_EQ(store.leases()->values, std::vector<dhcp::Lease>{lease}) << length;
    }
}

// Attack class D3: a newline into the lease store.
TEST_F(LeaseRows, AHostNameThatNoneMayHaveIsNotKeptButTheLeaseIs) {
    Store store = open();
    dhcp::Lease lease = lease_of(3);
    for (const std::string& name :
         {std::string("a\nb"),
          std::string("a'; DROP TABLE lease; --"),
          std::string("a\0b", 3),
          std::string(300, 'a'),
          std::string("\xff")}) {
        lease.hostname = name;
        ASSERT_TRUE(store.write(std::vector<dhcp::LeaseChange>{dhcp::PutLease{lease}}));
        const auto rows = store.leases().value();
        ASSERT_EQ(rows.values.size(), 1U);
        EXPECT_EQ(rows.values[0].hostname, "");
    }
}

TEST_F(LeaseRows, RowsThatDoNotReadAreLeftOutAndSaid) {
    ASSERT_TRUE(open().write(std::vector<dhcp::LeaseChange>{dhcp::PutLease{lease_of(3)}}));
    const auto insert = [](const char* values) {
        return "INSERT INTO lease VALUES (" + std::string(values) + ");";
    };
    run_sql(
        insert("'172.16.1.300', 'dc:a6:32:00:00:01', '', NULL, '', '', 1, 2") +
        insert("'172.16.1.5', 'dc:a6', '', NULL, '', '', 1, 2") +
        insert("'172.16.1.6', 'dc:a6:32:00:00:01', 'f', NULL, '', '', 1, 2") +
        insert("'172.16.1.7', 'dc:a6:32:00:00:01', 'zz', NULL, '', '', 1, 2") +
        insert("'172.16.1.8', 'dc:a6:32:00:00:01', '', '123', '', '', 1, 2") +
        insert("'172.16.1.9', 'dc:a6:32:00:00:01', '', NULL, '', 'a b', 1, 2")
    );
    const auto rows = open().leases().value();
    EXPECT_EQ(rows.values, std::vector<dhcp::Lease>{lease_of(3)});
    EXPECT_EQ(
        rows.skipped,
        (std::vector<std::string>{
            "lease of '172.16.1.300' left out: '172.16.1.300' is not an IPv4 address (like "
            "172.16.1.3)",
            "lease of '172.16.1.5' left out: 'dc:a6' is not a MAC address (write it like "
            "dc:a6:32:01:02:03)",
            "lease of '172.16.1.6' left out: the client identifier is no even number of hex digits",
            "lease of '172.16.1.7' left out: the client identifier is not hex",
            "lease of '172.16.1.8' left out: '123' is not a serial number (eight hex digits, like "
            "5b154510)",
            "lease of '172.16.1.9' left out: the host name has characters that none may have"})
    );
}

}  // namespace
}  // namespace bramble::state
