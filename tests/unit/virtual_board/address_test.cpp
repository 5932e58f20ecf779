// Fact sheet 1.6 to 1.8 and 10.2, steps 2 to 5 and 11: what a board does about its address.
#include <gmock/gmock.h>

#include "services/virtual_board/dhcp_client.hpp"
#include "tests/unit/virtual_board/lab.hpp"

namespace bramble::virtual_board {
namespace {

using testing::ElementsAre;

// Seconds since the first DISCOVER at which a DHCP message left.
std::vector<double> dhcp_times(const Lab& lab, std::uint8_t type) {
    std::vector<double> times;
    std::optional<TimePoint> first;
    for (std::size_t i = 0; i < lab.sent.size(); ++i) {
        if (lab.sent[i].destination_port != dhcp_server_port) continue;
        if (!first) first = lab.sent_at[i];
        if (lab.sent[i].bytes[242] != static_cast<std::byte>(type)) continue;
        times.push_back(std::chrono::duration<double>(lab.sent_at[i] - *first).count());
    }
    return times;
}

TEST(FactSheet17, DiscoverIsSentAtZeroEightAndTwentyFourSeconds) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.dhcp = [](Answer, std::uint8_t) { return std::nullopt; };
    lab.run();
    EXPECT_THAT(dhcp_times(lab, 1), ElementsAre(0, 8, 24));
    EXPECT_EQ(lab.board.phase(), Phase::halted);
    EXPECT_EQ(lab.board.last_failure().failure, Failure::no_offer);
    EXPECT_EQ(lab.now - TimePoint{}, 2500ms + 2700ms + 45s);
}

TEST(FactSheet17, BootOrderRestartTogglesTheLinkAndTriesForEver) {
    Lab lab;
    lab.dhcp = [](Answer, std::uint8_t) { return std::nullopt; };
    lab.run(2min);
    EXPECT_THAT(dhcp_times(lab, 1), ElementsAre(0, 8, 24, 47.7, 55.7, 71.7, 95.4, 103.4));
    EXPECT_EQ(lab.board.counters().restarts, 2U);
}

TEST(FactSheet17, BootOrderWithoutNetworkHalts) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xf41;
    Lab lab(spec);
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::halted);
    EXPECT_TRUE(lab.sent.empty());
}

TEST(FactSheet102, LostAckIsAskedForAgainAfterFourSeconds) {
    Lab lab;
    int acks = 0;
    lab.dhcp = [&](Answer answer, std::uint8_t type) -> std::optional<std::vector<std::byte>> {
        if (type == 5 && ++acks == 1) return std::nullopt;
        return answer.bytes();
    };
    lab.run_until([&] { return lab.board.address().has_value(); });
    const auto times = dhcp_times(lab, 3);
    ASSERT_EQ(times.size(), 2U);
    EXPECT_NEAR(times[1] - times[0], 4.0, 0.001);
}

TEST(FactSheet14, OffersThatAreIgnored) {
    const auto refused = [](const std::function<void(Answer&)>& bend) {
        BoardSpec spec = Lab::standard_spec();
        spec.eeprom.boot_order = 0xe2;
        Lab lab(spec);
        lab.dhcp = [&](Answer answer, std::uint8_t) {
            bend(answer);
            return answer.bytes();
        };
        lab.run();
        return lab.board.last_failure().failure == Failure::no_offer &&
               lab.board.counters().requests == 0;
    };
    EXPECT_TRUE(refused([](Answer& a) { a.without(43).without(60).without(66); }));
    EXPECT_TRUE(refused([](Answer& a) { a.without(60).without(66); }));
    EXPECT_TRUE(refused([](Answer& a) { a.without(43).with(66, four(lab_server)); }));
    EXPECT_TRUE(refused([](Answer& a) { a.without(43).with(66, "server"); }));
    EXPECT_TRUE(refused([](Answer& a) { a.xid ^= 1U; }));
    EXPECT_TRUE(refused([](Answer& a) { a.chaddr = MacAddress({2, 0, 0, 0, 0, 1}); }));
    EXPECT_TRUE(refused([](Answer& a) { a.yiaddr = Ipv4Address(); }));
    EXPECT_TRUE(refused([](Answer& a) { a.with(200, std::string(255, 'x')); }));
    EXPECT_FALSE(refused([](Answer& a) { a.without(43).without(60); }));
    EXPECT_FALSE(refused([](Answer& a) { a.without(66); }));
}

// Fact sheet 1.6: one server gives the address, another the boot server.
TEST(FactSheet16, OffersAreMerged) {
    BoardSpec spec = Lab::standard_spec();
    Board board(spec);
    TimePoint now{};
    board.on_power(now);
    while (!board.next_deadline() || board.phase() != Phase::address) {
        now = *board.next_deadline();
        board.on_deadline(now);
    }
    const auto discover = board.poll_transmit(now);
    ASSERT_TRUE(discover);
    const Ipv4Address router(0xac1001feU);
    Answer address = Answer::to(*discover, 2);
    address.without(43).without(60).without(66).with(54, four(router));
    Answer boot = Answer::to(*discover, 2);
    boot.yiaddr = Ipv4Address();
    boot.without(66);
    const auto hand_in = [&](const Answer& answer, Ipv4Address source) {
        board.on_datagram({source, 67, Ipv4Address::broadcast(), 68, answer.bytes()}, now);
    };
    hand_in(address, router);
    EXPECT_FALSE(board.poll_transmit(now));
    hand_in(boot, lab_server);
    const auto request = board.poll_transmit(now);
    ASSERT_TRUE(request);
    const auto& bytes = request->bytes;
    EXPECT_EQ(bytes[242], std::byte{3});
    EXPECT_NE(
        std::search(
            bytes.begin(),
            bytes.end(),
            &"\x36\x04\xac\x10\x01\xfe"[0],
            &"\x36\x04\xac\x10\x01\xfe"[0] + 6,
            [](std::byte a, char b) { return a == static_cast<std::byte>(b); }
        ),
        bytes.end()
    );
    Answer ack = Answer::to(*request, 5);
    ack.without(43).without(60).without(66).with(54, four(router));  // need not repeat them
    hand_in(ack, router);
    EXPECT_EQ(board.address(), lab_board);
    EXPECT_EQ(board.tftp_server(), lab_server);
}

TEST(FactSheet102, NakBeginsAnewWithANewXid) {
    Lab lab;
    int naks = 0;
    lab.dhcp = [&](Answer answer, std::uint8_t type) {
        if (type == 5 && naks++ == 0) answer.with(53, std::string(1, '\6'));
        return std::optional(answer.bytes());
    };
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(lab.board.counters().naks, 1U);
    EXPECT_THAT(lab.sent[0].bytes, testing::Ne(lab.sent[2].bytes));
}

TEST(FactSheet102, NaksAreBounded) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.dhcp = [&](Answer answer, std::uint8_t type) {
        if (type == 5) answer.with(53, std::string(1, '\6'));
        return std::optional(answer.bytes());
    };
    lab.run();
    EXPECT_EQ(lab.board.counters().naks, DhcpClient::naks_max);
    EXPECT_EQ(lab.board.last_failure().failure, Failure::no_ack);
}

TEST(FactSheet28, Pi3TakesTheOfferAndSendsNoRequest) {
    Lab lab(Lab::standard_spec("pi3b+"));
    lab.run_until([&] { return lab.board.phase() == Phase::kernel; });
    EXPECT_EQ(lab.board.counters().discovers, 1U);
    EXPECT_EQ(lab.board.counters().requests, 0U);
    EXPECT_EQ(std::to_integer<unsigned>(lab.sent[0].bytes[4]), 0x26U);
    EXPECT_EQ(std::to_integer<unsigned>(lab.sent[0].bytes[7]), 0x39U);
}

TEST(FactSheet28, Pi3TriesFiveTimesFiveSeconds) {
    BoardSpec spec = Lab::standard_spec("pi3b+");
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.dhcp = [](Answer, std::uint8_t) { return std::nullopt; };
    lab.run();
    EXPECT_THAT(dhcp_times(lab, 1), ElementsAre(0, 5, 10, 15, 20));
}

// Fact sheet 1.8: 6 sends, 2 s and then times 7/4; with the root on NFS it begins again for ever.
TEST(FactSheet18, KernelTimeouts) {
    Lab lab;
    bool kernel = false;
    lab.dhcp = [&](Answer answer, std::uint8_t) {
        return kernel ? std::nullopt : std::optional(answer.bytes());
    };
    lab.run_until([&] { return lab.board.phase() == Phase::kernel; });
    kernel = true;
    lab.sent.clear();
    lab.sent_at.clear();
    lab.run(100s);
    const auto times = dhcp_times(lab, 1);
    ASSERT_GE(times.size(), 7U);
    EXPECT_NEAR(times[1], 2.0, 0.001);
    EXPECT_NEAR(times[2], 5.5, 0.001);
    EXPECT_NEAR(times[3], 11.625, 0.001);
    EXPECT_EQ(lab.board.phase(), Phase::kernel_address);
    kernel = false;
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
}

TEST(FactSheet102, KernelThatGetsAnotherAddressIsCounted) {
    Lab lab;
    lab.dhcp = [&](Answer answer, std::uint8_t) {
        if (lab.board.phase() == Phase::kernel_address) answer.yiaddr = Ipv4Address(0xac100163U);
        return std::optional(answer.bytes());
    };
    lab.run();
    EXPECT_EQ(lab.board.counters().address_changes, 1U);
}

TEST(FactSheet102, StaticSettingsSkipDhcp) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.tftp_ip = lab_server;
    spec.eeprom.client_ip = lab_board;
    spec.eeprom.subnet = Ipv4Address(0xffffff00U);
    Lab lab(spec);
    lab.run_until([&] { return lab.board.phase() == Phase::kernel; });
    EXPECT_EQ(lab.board.counters().discovers, 0U);
    EXPECT_EQ(lab.board.phase(), Phase::kernel);
}

TEST(FactSheet14, TftpIpMakesAnyLeaseSufficient) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.tftp_ip = lab_server;
    Lab lab(spec);
    lab.dhcp = [](Answer answer, std::uint8_t) {
        return std::optional(answer.without(43).without(60).without(66).bytes());
    };
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
}

TEST(FactSheet102, OffLinkServerNeedsAGateway) {
    BoardSpec spec = Lab::standard_spec();
    spec.eeprom.boot_order = 0xe2;
    Lab lab(spec);
    lab.dhcp = [](Answer answer, std::uint8_t) {
        return std::optional(answer.without(3).with(66, "10.0.0.1").bytes());
    };
    lab.run();
    EXPECT_EQ(lab.board.last_failure().failure, Failure::no_route);
}

// Fact sheet 8, row 1: a switch port that learns for 30 s swallows the first DISCOVERs.
TEST(FactSheet8, SpanningTreeSwallowsFrames) {
    BoardSpec spec = Lab::standard_spec();
    spec.timing.stp_delay = 20s;
    Lab lab(spec);
    lab.run();
    EXPECT_EQ(lab.board.phase(), Phase::up);
    EXPECT_EQ(dhcp_times(lab, 1).size(), 2U);  // +24 s and the kernel's
}

}  // namespace
}  // namespace bramble::virtual_board
