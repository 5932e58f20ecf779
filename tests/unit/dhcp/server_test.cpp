// What the RFC's tests leave: reloads, bounds, words, and a long random life in which no address
// has two owners.
#include "services/dhcp/server.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

TEST(ServerTest, ReloadKeepsLeasesAndDropsAProbeOfAPoolThatIsGone) {
    Lab lab;
    const TestClient laptop("02:00:00:00:00:01");
    const Outcome waiting = lab.server.on_message(emit(laptop.discover()), {}, at(0s));
    ASSERT_EQ(waiting.probes.size(), 1U);
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.pool = Ipv4Range{ip("172.16.1.200"), ip("172.16.1.209")};
    lab.change_fleet(fleet);
    EXPECT_TRUE(
        lab.server.on_probe_result(waiting.probes[0].address, false, at(1ms)).replies.empty()
    );
    EXPECT_EQ(lab.answer(laptop.discover(), at(1s))->yiaddr, ip("172.16.1.200"));
}

TEST(ServerTest, ProbeResultNobodyWaitsForIsHarmless) {
    Lab lab;
    EXPECT_TRUE(lab.server.on_probe_result(ip("172.16.1.100"), true, at(0s)).replies.empty());
    EXPECT_TRUE(lab.server.on_probe_result(ip("172.16.1.3"), true, at(0s)).replies.empty());
    EXPECT_TRUE(lab.server.on_probe_result(ip("10.0.0.1"), false, at(0s)).replies.empty());
}

// After the ACK the client itself answers the probe.
TEST(ServerTest, LateProbeResultTakesNoLeaseAway) {
    Lab lab;
    const TestClient laptop("02:00:00:00:00:01");
    const Outcome waiting = lab.server.on_message(emit(laptop.discover()), {}, at(0s));
    const Ipv4Address address = waiting.probes.at(0).address;
    ASSERT_EQ(lab.server.on_deadline(at(1s)).replies.size(), 1U);
    ASSERT_EQ(lab.answer(laptop.selecting(address), at(1s))->type, MessageType::ack);
    const Outcome late = lab.server.on_probe_result(address, true, at(2s));
    EXPECT_TRUE(late.lease_changes.empty());
    EXPECT_EQ(lab.server.leases(at(2s)).size(), 1U);
}

// Before it, somebody else does: the client is told so when it asks.
TEST(ServerTest, LateProbeResultWithdrawsAnOffer) {
    Lab lab;
    const TestClient laptop("02:00:00:00:00:01");
    const Outcome waiting = lab.server.on_message(emit(laptop.discover()), {}, at(0s));
    const Ipv4Address address = waiting.probes.at(0).address;
    ASSERT_EQ(lab.server.on_deadline(at(1s)).replies.size(), 1U);
    const Outcome late = lab.server.on_probe_result(address, true, at(2s));
    ASSERT_NE(find_event<AddressConflict>(late), nullptr);
    EXPECT_EQ(lab.answer(laptop.selecting(address), at(3s))->type, MessageType::nak);
}

TEST(ServerTest, ProbesForOneDiscoverAreBounded) {
    Lab lab;
    for (int last = 100; last <= 110; ++last) {
        lab.occupied.push_back(ip("172.16.1." + std::to_string(last)));
    }
    const Outcome out = lab.send(TestClient("02:00:00:00:00:01").discover(), at(0s));
    EXPECT_EQ(out.probes.size(), 3U);
    EXPECT_TRUE(out.replies.empty());
}

TEST(ServerTest, WithoutAPoolOnlyReservationsAreAnswered) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.pool.reset();
    Lab lab(fleet);
    const Outcome out = lab.send(TestClient("02:00:00:00:00:01").discover(), at(0s));
    EXPECT_TRUE(out.replies.empty());
    EXPECT_EQ(find_event<Held>(out)->reason, HoldReason::no_pool);
    EXPECT_TRUE(lab.bind(pi_client(pi_mac, Serial(0x1234abcd)), at(0s)));
}

TEST(ServerTest, HolderFollowsTheLease) {
    Lab lab;
    const TestClient laptop("02:00:00:00:00:01");
    const auto address = lab.bind(laptop, at(0s));
    EXPECT_EQ(lab.server.holder(*address, at(1s))->mac, laptop.hardware);
    EXPECT_EQ(lab.server.holder(*address, at(1s))->board, "");
    EXPECT_FALSE(lab.server.holder(*address, at(2h)));
    EXPECT_FALSE(lab.server.holder(ip("172.16.1.3"), at(0s)));
    lab.send(pi_client(pi_mac, Serial(0x1234abcd)).discover(), at(0s));
    EXPECT_EQ(lab.server.holder(ip("172.16.1.3"), at(0s))->board, "pi-01");
}

TEST(ServerTest, EventsAndReasonsHaveNames) {
    EXPECT_EQ(name_of(Discovered{}), "discovered");
    EXPECT_EQ(name_of(AddressConflict{}), "address-conflict");
    EXPECT_EQ(to_string(RequestState::rebinding), "rebinding");
    for (int reason = 0; reason <= static_cast<int>(HoldReason::no_bootfile); ++reason) {
        EXPECT_NE(to_string(static_cast<HoldReason>(reason)), "");
    }
    EXPECT_EQ(to_string(MessageType::nak), "DHCPNAK");
}

TEST(ServerTest, CountersCountByType) {
    Lab lab;
    const TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    lab.bind(pi, at(0s));
    lab.send(pi.selecting(ip("172.16.1.77")), at(1s));
    const Counters& counters = lab.server.counters();
    EXPECT_EQ(counters.received[1], 1U);
    EXPECT_EQ(counters.received[3], 2U);
    EXPECT_EQ(counters.sent[2], 1U);
    EXPECT_EQ(counters.sent[5], 1U);
    EXPECT_EQ(counters.sent[6], 1U);
}

// Clients of all kinds, restarts, probes that find somebody, lost messages: whoever was
// acknowledged an address keeps it until its lease is over, it is released, declined or refused.
class LongLife : public testing::TestWithParam<unsigned> {};

TEST_P(LongLife, NoAddressHasTwoOwners) {
    std::mt19937 random(GetParam());
    Lab lab;
    std::map<Ipv4Address, std::pair<MacAddress, TimePoint>> owners;
    std::vector<TestClient> clients;
    for (unsigned n = 1; n <= 25; ++n) clients.emplace_back(mac_number(n));
    clients.push_back(pi_client(pi_mac, Serial(0x1234abcd)));
    clients.push_back(pi_client("dc:a6:32:2e:f8:ed", Serial(0x5b154510)));
    clients.push_back(pi_client("dc:a6:32:00:00:77", Serial(0x0badcafe)));
    std::size_t acknowledged = 0;
    TimePoint now = at(0s);
    for (int step = 0; step < 2000; ++step) {
        now += std::chrono::seconds(random() % 90);
        TestClient& client = clients[random() % clients.size()];
        client.xid = static_cast<std::uint32_t>(random());
        const Ipv4Address any(static_cast<std::uint32_t>(ip("172.16.1.99").value() + random() % 13)
        );
        const auto owned = std::find_if(owners.begin(), owners.end(), [&](const auto& entry) {
            return entry.second.first == client.hardware;
        });
        const Ipv4Address own = owned != owners.end() ? owned->first : any;
        Message message;
        switch (random() % 8) {
            case 0:
                message = client.renewing(own);
                break;
            case 1:
                message = client.init_reboot(random() % 4 == 0 ? any : own);
                break;
            case 2:
                message = client.releasing(own);
                break;
            case 3:
                message = client.declining(random() % 2 == 0 ? any : own);
                break;
            case 4:
                message = client.selecting(any);
                break;
            case 5:
                if (random() % 20 == 0) lab.restart();
                [[fallthrough]];
            default: {
                lab.occupied.assign(random() % 2, any);
                const auto offer = lab.answer(client.discover(), now);
                if (!offer) continue;
                message = client.selecting(offer->yiaddr);
            }
        }
        const Outcome out = lab.send(message, now);
        for (const LeaseChange& change : out.lease_changes) {
            if (const auto* remove = std::get_if<RemoveLease>(&change)) {
                const auto found = owners.find(remove->address);
                // Only its owner's own message takes a live lease away.
                if (found != owners.end() && found->second.second > now) {
                    ASSERT_EQ(found->second.first, client.hardware) << "step " << step;
                }
                owners.erase(remove->address);
                continue;
            }
            const Lease& lease = std::get<PutLease>(change).lease;
            const auto found = owners.find(lease.address);
            if (found != owners.end() && found->second.second > now) {
                ASSERT_EQ(found->second.first, lease.mac)
                    << "step " << step << " " << lease.address.to_string();
            }
            owners[lease.address] = {lease.mac, lease.expires};
        }
        for (const Reply& reply : out.replies) {
            const auto parsed = parse(reply.bytes);
            ASSERT_TRUE(parsed);
            if (parsed->type != MessageType::ack) continue;
            ++acknowledged;
            ASSERT_EQ(owners.at(parsed->yiaddr).first, client.hardware) << "step " << step;
        }
    }
    EXPECT_GT(acknowledged, 500U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LongLife, testing::Range(1U, 11U));

}  // namespace
}  // namespace bramble::dhcp::test
