#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

class Rfc2131Section3 : public testing::Test {
protected:
    Lab lab;
    TestClient laptop{"02:00:00:00:00:01"};
    TestClient other{"02:00:00:00:00:02"};
};

// §3.1 (2): "When allocating a new address, servers SHOULD check that the offered network address
// is not already in use".
TEST_F(Rfc2131Section3, NewPoolAddressIsProbedBeforeItIsOffered) {
    const auto bytes = emit(laptop.discover(), bootp_bytes_min);
    const Outcome out = lab.server.on_message(bytes, {}, at(0s));
    ASSERT_EQ(out.probes.size(), 1U);
    EXPECT_TRUE(out.replies.empty());
    const Outcome later = lab.server.on_probe_result(out.probes[0].address, false, at(5ms));
    ASSERT_EQ(later.replies.size(), 1U);
    EXPECT_EQ(parse(later.replies[0].bytes)->yiaddr, out.probes[0].address);
}

TEST_F(Rfc2131Section3, AddressInUseIsNotOffered) {
    lab.occupied = {ip("172.16.1.100"), ip("172.16.1.101")};
    const auto offer = lab.answer(laptop.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->yiaddr, ip("172.16.1.102"));
    EXPECT_EQ(lab.server.counters().quarantined, 2U);
}

TEST_F(Rfc2131Section3, OfferLeavesAtTheDeadlineWhenTheProbeSaysNothing) {
    const auto bytes = emit(laptop.discover(), bootp_bytes_min);
    ASSERT_EQ(lab.server.on_message(bytes, {}, at(0s)).probes.size(), 1U);
    const auto deadline = lab.server.next_deadline();
    ASSERT_TRUE(deadline);
    EXPECT_LE(*deadline, at(1s));
    EXPECT_TRUE(lab.server.on_deadline(*deadline - 1ns).replies.empty());
    EXPECT_EQ(lab.server.on_deadline(*deadline).replies.size(), 1U);
    EXPECT_TRUE(lab.server.on_deadline(*deadline + 1s).replies.empty());
}

TEST_F(Rfc2131Section3, ProbeForOneClientHoldsBackNoOther) {
    ASSERT_TRUE(lab.bind(other, at(0s)));
    ASSERT_EQ(lab.server.on_message(emit(laptop.discover()), {}, at(1s)).probes.size(), 1U);
    EXPECT_TRUE(lab.answer(other.discover(), at(1s)));  // known on its address: no probe
    const TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    const Outcome out = lab.server.on_message(emit(pi.discover()), {}, at(1s));
    EXPECT_EQ(out.replies.size(), 1U);  // a reservation is never probed
    EXPECT_TRUE(out.probes.empty());
}

// Lab facts §1: U-Boot takes a new xid for each repetition. The offer must answer the last one.
TEST_F(Rfc2131Section3, RepeatedDiscoverDuringAProbeIsAnsweredOnceWithItsOwnXid) {
    const Outcome first = lab.server.on_message(emit(laptop.discover()), {}, at(0s));
    ASSERT_EQ(first.probes.size(), 1U);
    laptop.xid = 0x55667788;
    const Outcome second = lab.server.on_message(emit(laptop.discover()), {}, at(100ms));
    EXPECT_TRUE(second.probes.empty());
    const Outcome done = lab.server.on_probe_result(first.probes[0].address, false, at(110ms));
    ASSERT_EQ(done.replies.size(), 1U);
    EXPECT_EQ(parse(done.replies[0].bytes)->xid, TransactionId(0x55667788));
}

TEST_F(Rfc2131Section3, ProbesAtOnceAreBounded) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.pool = Ipv4Range{ip("172.16.1.100"), ip("172.16.1.250")};
    lab.change_fleet(fleet);
    std::size_t probes = 0;
    std::size_t replies = 0;
    for (unsigned i = 1; i <= 100; ++i) {
        const Outcome out =
            lab.server.on_message(emit(TestClient(mac_number(i)).discover()), {}, at(0s));
        probes += out.probes.size();
        replies += out.replies.size();
    }
    EXPECT_EQ(probes, 64U);
    EXPECT_EQ(replies, 36U);
    EXPECT_EQ(lab.server.counters().probes_skipped, 36U);
}

// §3.1 (4): "The selected server commits the binding for the client to persistent storage and
// responds with a DHCPACK message".
TEST_F(Rfc2131Section3, AckComesWithTheLeaseToStoreFirst) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_TRUE(lab.stored.empty());  // an offer promises nothing
    const Outcome out = lab.send(laptop.selecting(offer->yiaddr), at(1s));
    ASSERT_EQ(out.replies.size(), 1U);
    ASSERT_EQ(out.lease_changes.size(), 1U);
    const Lease& lease = std::get<PutLease>(out.lease_changes[0]).lease;
    EXPECT_EQ(lease.address, offer->yiaddr);
    EXPECT_EQ(lease.mac, laptop.hardware);
    EXPECT_EQ(lease.granted, at(1s));
    EXPECT_EQ(lease.expires, at(1s) + 1h);
}

TEST_F(Rfc2131Section3, RestartedServerKnowsEveryAcknowledgedLease) {
    std::map<unsigned, Ipv4Address> held;
    for (unsigned i = 1; i <= 10; ++i) held[i] = *lab.bind(TestClient(mac_number(i)), at(0s));
    lab.restart();
    EXPECT_FALSE(lab.bind(TestClient(mac_number(99)), at(1s)));  // none of the ten is free
    for (const auto& [number, address] : held) {
        const TestClient client(mac_number(number));
        const auto ack =
            lab.answer(client.renewing(address), at(2s), from(address, ip(server_text)));
        ASSERT_TRUE(ack);
        EXPECT_EQ(ack->type, MessageType::ack);
        EXPECT_EQ(ack->yiaddr, address);
    }
}

// §3.1 (4): "The combination of 'client identifier' or 'chaddr' and assigned network address
// constitute a unique identifier for the client's lease".
TEST_F(Rfc2131Section3, AddressOfOneClientIsRefusedToAnother) {
    const auto address = lab.bind(laptop, at(0s));
    ASSERT_TRUE(address);
    const auto nak = lab.answer(other.selecting(*address), at(1s));
    ASSERT_TRUE(nak);
    EXPECT_EQ(nak->type, MessageType::nak);
}

// §3.1 (4): "Any configuration parameters in the DHCPACK message SHOULD NOT conflict with those in
// the earlier DHCPOFFER message".
TEST_F(Rfc2131Section3, AckRepeatsTheOffersParameters) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    const auto ack = lab.answer(laptop.selecting(offer->yiaddr), at(1s));
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->options, offer->options);
}

// §3.1 (4): "Those servers not selected by the DHCPREQUEST message use the message as notification
// that the client has declined that server's offer."
TEST_F(Rfc2131Section3, OfferThatWasNotChosenIsFreeAgain) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.pool = Ipv4Range{ip("172.16.1.100"), ip("172.16.1.100")};
    fleet.boards.erase(fleet.boards.begin() + 3);
    lab.change_fleet(fleet);
    ASSERT_TRUE(lab.answer(laptop.discover(), at(0s)));
    EXPECT_FALSE(lab.answer(other.discover(), at(0s)));
    const Outcome out = lab.send(laptop.selecting(ip("172.16.1.50"), ip("172.16.1.2")), at(1s));
    EXPECT_TRUE(out.replies.empty());
    EXPECT_TRUE(lab.answer(other.discover(), at(1s)));
}

// §3.1 (4): "If the selected server is unable to satisfy the DHCPREQUEST message (e.g., the
// requested network address has been allocated), the server SHOULD respond with a DHCPNAK message."
TEST_F(Rfc2131Section3, RequestForAnAddressThatIsGoneIsRefused) {
    const auto offer = lab.answer(laptop.discover(), at(0s));
    EXPECT_TRUE(lab.server.on_deadline(at(2min)).replies.empty());  // the offer is over
    other.always.set_address(OptionCode::requested_address, offer->yiaddr);
    ASSERT_EQ(lab.answer(other.discover(), at(2min))->yiaddr, offer->yiaddr);
    const auto nak = lab.answer(laptop.selecting(offer->yiaddr), at(2min + 1s));
    ASSERT_TRUE(nak);
    EXPECT_EQ(nak->type, MessageType::nak);
}

// §3.2 (2): "Servers SHOULD NOT check that the client's network address is already in use; the
// client may respond to ICMP Echo Request messages at this point."
TEST_F(Rfc2131Section3, RebootingClientIsNotProbed) {
    const auto address = lab.bind(laptop, at(0s));
    lab.occupied = {*address};  // it answers for itself
    const Outcome out = lab.send(laptop.init_reboot(*address), at(1min));
    EXPECT_TRUE(out.probes.empty());
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].type, MessageType::ack);
}

// §3.5: "the server … includes … the parameters that the client asked for", see §4.3.1.
// §3.3: "the client may ask for a specific lease"; ours is the longest it gets.
TEST_F(Rfc2131Section3, LeaseTimeAskedForIsGrantedUpToTheConfiguredOne) {
    const std::pair<std::uint32_t, std::uint32_t> cases[] = {
        {600, 600}, {7200, 3600}, {0xffffffffU, 3600}, {1, 60}};
    for (const auto& [asked, given] : cases) {
        Message discover = laptop.discover();
        discover.options.set_u32(OptionCode::lease_time, asked);
        const auto offer = lab.answer(discover, at(0s));
        ASSERT_TRUE(offer);
        EXPECT_EQ(offer->options.u32(OptionCode::lease_time), given) << asked;
    }
}

}  // namespace
}  // namespace bramble::dhcp::test
