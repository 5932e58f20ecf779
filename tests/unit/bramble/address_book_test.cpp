#include "services/bramble/address_book.hpp"

#include <gtest/gtest.h>

namespace bramble::program {
namespace {

const Ipv4Address address = *Ipv4Address::parse("172.16.1.100");

dhcp::Event event(dhcp::EventBody body, std::string board) {
    dhcp::Event out;
    out.client.board = std::move(board);
    out.what = std::move(body);
    return out;
}

TEST(AddressBook, FollowsWhatDhcpSaw) {
    AddressBook book;
    EXPECT_EQ(book.on_event(event(dhcp::AddressLearned{address, true}, "pi-01")), address);
    EXPECT_FALSE(book.on_event(event(dhcp::AddressLearned{address, true}, "pi-01")));
    EXPECT_EQ(book.boards().at(address), "pi-01");
    EXPECT_EQ(book.on_event(event(dhcp::AddressLearned{address, false}, "")), address);
    EXPECT_EQ(book.boards().at(address), "");
    EXPECT_EQ(book.on_event(event(dhcp::Released{address}, "")), address);
    EXPECT_TRUE(book.boards().empty());
    EXPECT_FALSE(book.on_event(event(dhcp::AddressLearned{Ipv4Address(), true}, "pi-01")));
    EXPECT_FALSE(book.on_event(event(dhcp::Offered{address}, "pi-01")));
}

TEST(AddressBook, RemembersTheLeasesOfAnEarlierRun) {
    AddressBook book;
    dhcp::Lease lease;
    lease.address = address;
    lease.board = "pi-01";
    book.restore(std::vector{lease});
    EXPECT_EQ(book.boards().at(address), "pi-01");
}

TEST(AddressBook, ABoardThatTheFleetDroppedIsAStranger) {
    AddressBook book;
    book.on_event(event(dhcp::AddressLearned{address, true}, "pi-01"));
    book.keep_boards([](const std::string&) { return false; });
    EXPECT_EQ(book.boards().at(address), "");
}

TEST(AddressBook, IsBounded) {
    AddressBook book;
    for (std::uint32_t i = 1; i <= AddressBook::addresses_max + 10; ++i) {
        book.on_event(event(dhcp::AddressLearned{Ipv4Address(i), false}, ""));
    }
    EXPECT_EQ(book.boards().size(), AddressBook::addresses_max);
}

}  // namespace
}  // namespace bramble::program
