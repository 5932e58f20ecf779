// Attack classes D1 to D11: the input that shows each, and what the server makes of it.
#include <gtest/gtest.h>

#include <random>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class AttackClasses : public testing::Test {
protected:
    std::size_t replies_to(const Message& message, const Arrival& arrival = {}) {
        return lab.send(message, at(0s), arrival).replies.size();
    }

    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
    TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
};

// D1: option lengths.
TEST_F(AttackClasses, D1OptionLengths) {
    const std::string_view tails[] = {
        "0c ff 61 ff",        // past the end
        "0c",                 // no length
        "32 00 ff",           // an address of no octets
        "32 03 ac 10 01 ff",  // of three
        "36 05 ac 10 01 01 01 ff",
        "39 01 02 ff",
        "33 03 00 00 01 ff",
        "35 02 01 01 ff"};
    for (const std::string_view tail : tails) {
        auto bytes = emit(laptop.discover());
        bytes.pop_back();
        const auto more = hex(tail);
        bytes.insert(bytes.end(), more.begin(), more.end());
        EXPECT_TRUE(lab.send_bytes(bytes, at(0s)).replies.empty()) << tail;
    }
    EXPECT_EQ(lab.server.counters().malformed, std::size(tails));
}

TEST_F(AttackClasses, D1ClientIdentifierOf255Octets) {
    laptop.always.set(OptionCode::client_identifier, std::vector<std::byte>(255, std::byte{0x41}));
    const auto address = lab.bind(laptop, at(0s));
    ASSERT_TRUE(address);
    EXPECT_EQ(lab.stored.at(*address).client_id.size(), 255U);
    lab.restart();
    EXPECT_EQ(lab.bind(laptop, at(1s)), address);
}

// D2: messages without a lease.
TEST_F(AttackClasses, D2MessagesWithoutALease) {
    EXPECT_EQ(replies_to(laptop.releasing(ip("172.16.1.100"))), 0U);
    EXPECT_EQ(replies_to(laptop.declining(ip("172.16.1.100"))), 0U);
    EXPECT_EQ(replies_to(laptop.message(MessageType::inform)), 0U);  // ciaddr 0
    const Outcome out = lab.send(laptop.renewing(ip("172.16.1.3")), at(0s), from(ip("172.16.1.3")));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].type, MessageType::nak);
    EXPECT_TRUE(lab.stored.empty());
}

// D3: host names.
TEST_F(AttackClasses, D3HostNamesAreMadeHarmless) {
    const std::pair<std::string, std::string> cases[] = {
        {"raspberrypi", "raspberrypi"},
        {"Pi-01.lab.example", "pi-01"},
        {"$(reboot)", "reboot"},
        {"a\nb\r\n\"';|&`", "ab"},
        {std::string("\x01\x02\xff\xfe\x80", 5), ""},
        {"---", ""},
        {std::string(255, 'x'), std::string(63, 'x')}};
    for (const auto& [sent, kept] : cases) {
        laptop.always.set_text(OptionCode::host_name, sent);
        const auto address = lab.bind(laptop, at(0s));
        ASSERT_TRUE(address) << sent;
        EXPECT_EQ(lab.stored.at(*address).hostname, kept);
    }
}

// D4: no subnet fits.
TEST_F(AttackClasses, D4RelayOfAnotherNetworkIsNotAnswered) {
    Message discover = laptop.discover();
    discover.giaddr = ip("10.9.9.9");
    EXPECT_EQ(replies_to(discover, from(ip("10.9.9.9"))), 0U);
    EXPECT_EQ(lab.server.counters().bad_relay, 1U);
    EXPECT_EQ(replies_to(laptop.discover(), from(ip("10.9.9.9"))), 0U);  // unicast from nowhere
    EXPECT_EQ(lab.server.counters().odd_source, 1U);
}

// D5: whatever was accepted can be read back after a restart.
TEST_F(AttackClasses, D5StoredLeasesCanBeRestored) {
    laptop.always.set(OptionCode::client_identifier, hex("00 0a 00 ff 27"));
    laptop.always.set_text(OptionCode::host_name, "x\n');--");
    const auto address = lab.bind(laptop, at(0s));
    ASSERT_TRUE(address);
    lab.restart();
    EXPECT_EQ(lab.server.leases(at(1s)), std::vector<Lease>{lab.stored.at(*address)});
}

TEST_F(AttackClasses, D5LeasesThatCannotBeAreNotRestored) {
    for (const std::string_view bad : {"10.0.0.1", "172.16.1.1", "172.16.1.255", "172.16.1.0"}) {
        Lease lease;
        lease.address = ip(bad);
        lease.expires = at(1h);
        lab.stored.insert_or_assign(lease.address, lease);
    }
    lab.restart();
    EXPECT_TRUE(lab.server.leases(at(0s)).empty());
}

// D6: relays and replies.
TEST_F(AttackClasses, D6RepliesHopsAndOurOwnAddressAreNotAnswered) {
    Message message = laptop.discover();
    message.op = Operation::reply;
    EXPECT_EQ(replies_to(message), 0U);
    EXPECT_EQ(lab.server.counters().replies_received, 1U);

    message = laptop.discover();
    message.hops = 17;
    EXPECT_EQ(replies_to(message), 0U);
    EXPECT_EQ(lab.server.counters().hops_exceeded, 1U);
    message.hops = 16;
    EXPECT_EQ(replies_to(message), 1U);

    message = laptop.discover();
    message.giaddr = ip(server_text);
    EXPECT_EQ(replies_to(message), 0U);
    EXPECT_EQ(lab.server.counters().bad_relay, 1U);

    EXPECT_EQ(replies_to(laptop.discover(), from(ip(server_text))), 0U);
    EXPECT_EQ(replies_to(laptop.discover(), from(Ipv4Address::broadcast())), 0U);
    EXPECT_EQ(lab.server.counters().odd_source, 2U);

    for (const auto& octets :
         {std::array<std::uint8_t, 6>{},
          std::array<std::uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
          std::array<std::uint8_t, 6>{1, 0, 0x5e, 0, 0, 1}}) {
        message = laptop.discover();
        message.chaddr = MacAddress(octets);
        EXPECT_EQ(replies_to(message), 0U);
    }
    EXPECT_EQ(lab.server.counters().bad_hardware, 3U);
}

// Server messages with a client's operation.
TEST_F(AttackClasses, D6ServerMessageTypesAreNotAnswered) {
    for (const MessageType type : {MessageType::offer, MessageType::ack, MessageType::nak}) {
        EXPECT_EQ(replies_to(laptop.message(type)), 0U);
    }
}

// A forged ciaddr sends nothing into other networks.
TEST_F(AttackClasses, D6RepliesStayOnTheNetwork) {
    Message discover = pi.discover();
    discover.ciaddr = ip("192.0.2.1");
    const Outcome out = lab.send(discover, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<ToHardware>(out.replies[0].destination));
    Message request = pi.selecting(ip("172.16.1.3"));
    request.ciaddr = ip("192.0.2.1");
    const Outcome ack = lab.send(request, at(0s));
    ASSERT_EQ(ack.replies.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<ToHardware>(ack.replies[0].destination));
}

// D8: every octet of a reply is one that was written: two servers with the same past say the same.
TEST_F(AttackClasses, D8RepliesLeakNothing) {
    Message discover = pi.discover();
    discover.file = std::string(127, 'S');
    discover.sname = std::string(63, 'S');
    const Outcome out = lab.send(discover, at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    const auto& bytes = out.replies[0].bytes;
    EXPECT_TRUE(std::all_of(bytes.begin() + 34, bytes.begin() + 236, [](std::byte b) {
        return b == std::byte{0};
    }));
}

// D10: a flood of DISCOVERs with random hardware addresses.
TEST_F(AttackClasses, D10DiscoverFloodTouchesNoReservation) {
    std::mt19937 random(7);
    for (unsigned i = 0; i < 20'000; ++i) {
        lab.send(TestClient(mac_number(random() & 0xffffffU)).discover(), at(0s) + i * 1ms);
    }
    EXPECT_EQ(lab.bind(pi, at(20s)), ip("172.16.1.3"));
    EXPECT_TRUE(lab.bind(pi_client("dc:a6:32:00:00:77", Serial(0x0badcafe)), at(20s)));
    EXPECT_GT(lab.server.counters().pool_exhausted, 0U);
    // The flood ends: a newcomer gets an address as soon as an unanswered offer has grown old.
    EXPECT_TRUE(lab.bind(laptop, at(31s)));
}

// The same with complete exchanges: what it takes, it takes from other strangers.
TEST_F(AttackClasses, D10LeaseFloodLeavesBoardsTheirAddresses) {
    for (unsigned i = 0; i < 100; ++i) lab.bind(TestClient(mac_number(i + 1)), at(0s));
    EXPECT_EQ(lab.server.leases(at(1s)).size(), 10U);
    EXPECT_EQ(lab.bind(pi, at(1s)), ip("172.16.1.3"));
    EXPECT_TRUE(lab.bind(pi_client("dc:a6:32:00:00:77", Serial(0x0badcafe)), at(1s)));
}

TEST_F(AttackClasses, D10DeclineFloodIsBounded) {
    for (unsigned i = 0; i < 100; ++i) {
        const TestClient client(mac_number(i + 1));
        if (const auto address = lab.bind(client, at(0s))) {
            lab.send(client.declining(*address), at(0s));
        }
    }
    EXPECT_TRUE(lab.bind(laptop, at(1s)));  // at most half of the pool rests
    EXPECT_EQ(lab.bind(pi, at(1s)), ip("172.16.1.3"));
}

TEST_F(AttackClasses, D10FloodOfInventedBoardsIsForgotten) {
    for (unsigned i = 0; i < 10'000; ++i) {
        lab.send(pi_client(mac_number(i + 1), Serial(i + 1)).discover(), at(0s));
    }
    EXPECT_EQ(lab.server.counters().unknown_boards, 10'000U);
    EXPECT_EQ(lab.bind(pi, at(1s)), ip("172.16.1.3"));
}

// D11: another server on the wire.
TEST_F(AttackClasses, D11ForeignServerIsSeenInRequests) {
    const Message request = laptop.selecting(ip("172.16.1.50"), ip("172.16.1.9"));
    const Outcome first = lab.send(request, at(0s));
    ASSERT_NE(find_event<ForeignServer>(first), nullptr);
    EXPECT_EQ(find_event<ForeignServer>(first)->server, ip("172.16.1.9"));
    EXPECT_EQ(find_event<ForeignServer>(lab.send(request, at(59s))), nullptr);
    EXPECT_NE(find_event<ForeignServer>(lab.send(request, at(60s))), nullptr);
    EXPECT_EQ(lab.server.counters().foreign_servers, 3U);
}

// Fact sheet 1.6: a board merges offers; TFTP must then know the address that the other server
// gave.
TEST_F(AttackClasses, D11AddressThatABoardTookFromAForeignServerIsLearned) {
    const Outcome out = lab.send(pi.selecting(ip("172.16.1.50"), ip("172.16.1.9")), at(0s));
    ASSERT_NE(find_event<AddressLearned>(out), nullptr);
    EXPECT_EQ(*find_event<AddressLearned>(out), (AddressLearned{ip("172.16.1.50"), false}));
}

TEST_F(AttackClasses, D11AddressOfAnotherBoardIsNotLearnedThatWay) {
    const auto leased = lab.bind(laptop, at(0s));
    ASSERT_TRUE(leased);
    for (const Ipv4Address address : {ip("172.16.1.3"), ip("172.16.1.1"), ip("10.0.0.1")}) {
        const Outcome out = lab.send(laptop.selecting(address, ip("172.16.1.9")), at(1s));
        EXPECT_EQ(find_event<AddressLearned>(out), nullptr);
    }
    const Outcome out = lab.send(pi.selecting(*leased, ip("172.16.1.9")), at(1s));
    EXPECT_EQ(find_event<AddressLearned>(out), nullptr);
}

TEST_F(AttackClasses, D11ForeignServerIsSeenInReplies) {
    Message offer = laptop.message(MessageType::offer);
    offer.op = Operation::reply;
    offer.options.set_address(OptionCode::server_identifier, ip("172.16.1.9"));
    const Outcome out = lab.send(offer, at(0s));
    EXPECT_TRUE(out.replies.empty());
    ASSERT_NE(find_event<ForeignServer>(out), nullptr);
    offer.options.set_address(OptionCode::server_identifier, ip(server_text));
    EXPECT_EQ(find_event<ForeignServer>(lab.send(offer, at(0s))), nullptr);
}

// What another server says to clients is heard on their port, with the MAC that it came from.
TEST_F(AttackClasses, D11ForeignServerIsHeardOnTheClientsPort) {
    const Sender sender{ip("172.16.1.9"), mac("02:00:00:00:00:fe")};
    Message offer = pi.message(MessageType::offer);
    offer.op = Operation::reply;
    offer.yiaddr = ip("172.16.1.50");
    offer.options.set_address(OptionCode::server_identifier, ip("172.16.1.9"));
    // A client of its was heard before: its MAC is news.
    lab.send(laptop.selecting(ip("172.16.1.51"), ip("172.16.1.9")), at(0s));
    const Outcome out = lab.server.on_overheard(emit(offer), sender, at(1s));
    EXPECT_TRUE(out.replies.empty());
    ASSERT_NE(find_event<ForeignServer>(out), nullptr);
    EXPECT_EQ(*find_event<ForeignServer>(out), (ForeignServer{ip("172.16.1.9"), sender.mac}));
    ASSERT_NE(find_event<OfferedByAnother>(out), nullptr);
    EXPECT_EQ(
        *find_event<OfferedByAnother>(out), (OfferedByAnother{ip("172.16.1.9"), ip("172.16.1.50")})
    );
    EXPECT_EQ(out.events.back().client.board, "pi-01");
    const Outcome again = lab.server.on_overheard(emit(offer), sender, at(2s));
    EXPECT_EQ(find_event<ForeignServer>(again), nullptr);
    // The MAC stays known where only a client is heard.
    const Outcome later = lab.send(laptop.selecting(ip("172.16.1.51"), ip("172.16.1.9")), at(90s));
    ASSERT_NE(find_event<ForeignServer>(later), nullptr);
    EXPECT_EQ(find_event<ForeignServer>(later)->mac, sender.mac);
    EXPECT_EQ(lab.server.counters().foreign_servers, 4U);
}

TEST_F(AttackClasses, D11WhatIsNoForeignAnswerIsNotHeard) {
    const Sender sender{ip("172.16.1.9"), mac("02:00:00:00:00:fe")};
    const auto hear = [&](const Message& message) {
        return lab.server.on_overheard(emit(message), sender, at(0s)).events.size();
    };
    Message ours = pi.message(MessageType::ack);
    ours.op = Operation::reply;
    ours.options.set_address(OptionCode::server_identifier, ip(server_text));
    EXPECT_EQ(hear(ours), 0U);  // through a relay
    EXPECT_EQ(hear(pi.discover()), 0U);
    Message odd = pi.message(MessageType::release);
    odd.op = Operation::reply;
    EXPECT_EQ(hear(odd), 0U);
    Message nameless = laptop.message(MessageType::nak);
    nameless.op = Operation::reply;
    EXPECT_EQ(hear(nameless), 1U);  // by its source; no board's
    const auto bytes = emit(nameless);
    for (std::size_t size = 0; size < 240; ++size) {
        const auto cut = std::span(bytes).first(size);
        EXPECT_TRUE(lab.server.on_overheard(cut, sender, at(0s)).events.empty());
    }
    EXPECT_EQ(lab.server.counters().malformed, 240U);
}

TEST_F(AttackClasses, D11InventedServersAreBounded) {
    std::size_t said = 0;
    for (unsigned i = 0; i < 100; ++i) {
        const Ipv4Address server(ip("10.0.0.1").value() + i);
        const Outcome out = lab.send(laptop.selecting(ip("172.16.1.50"), server), at(0s));
        said += find_event<ForeignServer>(out) != nullptr ? 1 : 0;
    }
    EXPECT_EQ(said, 16U);
}

}  // namespace
}  // namespace bramble::dhcp::test
