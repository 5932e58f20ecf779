// `mode: proxy` beside another DHCP server (PXE 2.1 §2.2, fact sheet 1.6), and `mode: off`.
#include <gtest/gtest.h>

#include "services/dhcp/pxe_options.hpp"
#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

fleet::Fleet with_mode(fleet::DhcpMode mode) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.dhcp.mode = mode;
    return fleet;
}

TestClient pxe(
    std::string_view mac_text, std::uint16_t architecture, std::string_view vendor_class
) {
    TestClient out(mac_text);
    out.always.set(OptionCode::machine_identifier, hex("0012345678123412341234123456789abc"));
    out.always.set_u16(OptionCode::client_architecture, architecture);
    out.always.set_text(OptionCode::vendor_class, vendor_class);
    return out;
}

class ProxyMode : public testing::Test {
protected:
    static Arrival on_4011(Ipv4Address source, std::uint16_t port = client_port) {
        Arrival arrival;
        arrival.source = source;
        arrival.source_port = port;
        arrival.local_port = proxy_port;
        arrival.destination = ip(server_text);
        return arrival;
    }

    Lab lab{with_mode(fleet::DhcpMode::proxy)};
    TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    TestClient uefi = pxe("52:54:00:00:00:01", 11, "PXEClient:Arch:00011:UNDI:003000");
    TestClient bios = pxe("52:54:00:00:00:01", 0, "PXEClient:Arch:00000:UNDI:002001");
    const Ipv4Address foreign = ip("172.16.1.9");
};

// 1.6: "another, yiaddr 0 with 43/60, gives the TFTP server".
TEST_F(ProxyMode, PiGetsBootDataAndNoAddress) {
    const Outcome out = lab.send(pi.discover(), at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(Broadcast{}));
    EXPECT_EQ(out.replies[0].local_port, server_port);
    const auto offer = parse(out.replies[0].bytes);
    EXPECT_EQ(offer->type, MessageType::offer);
    EXPECT_EQ(offer->yiaddr, Ipv4Address());
    EXPECT_EQ(offer->siaddr, ip(server_text));
    EXPECT_FALSE(offer->options.has(OptionCode::lease_time));
    EXPECT_FALSE(offer->options.has(OptionCode::subnet_mask));
    EXPECT_FALSE(offer->options.has(OptionCode::router));
    EXPECT_EQ(
        to_hex(offer->options, OptionCode::vendor_specific),
        "0601030a0400505845091400001152617370626572727920506920426f6f74ff"
    );
    EXPECT_EQ(offer->options.text(OptionCode::vendor_class), "PXEClient");
    EXPECT_EQ(offer->options.text(OptionCode::tftp_server_name), server_text);
    EXPECT_TRUE(out.lease_changes.empty());
}

TEST_F(ProxyMode, RelayedDiscoverIsAnsweredToTheRelay) {
    Message discover = pi.discover();
    discover.giaddr = ip("172.16.1.2");
    const Outcome out = lab.send(discover, at(0s), from(discover.giaddr));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(ToRelay{discover.giaddr}));
    EXPECT_TRUE(parse(out.replies[0].bytes)->broadcast);
}

TEST_F(ProxyMode, ClientsThatDoNotBootGetNoReply) {
    EXPECT_TRUE(lab.send(TestClient(pi_mac).discover(), at(0s)).replies.empty());
    EXPECT_TRUE(lab.send(TestClient("02:00:00:00:00:01").discover(), at(0s)).replies.empty());
}

TEST_F(ProxyMode, RequestsAreNeverAnsweredOnPort67) {
    const TestClient plain(pi_mac);
    for (const Message& request :
         {pi.selecting(ip("172.16.1.50"), foreign),
          pi.selecting(ip("172.16.1.50")),
          plain.init_reboot(ip("10.0.0.1")),
          plain.renewing(ip("172.16.1.50"))}) {
        EXPECT_TRUE(lab.send(request, at(0s)).replies.empty());
    }
}

// TFTP knows boards by their address: another server's is read from the client's broadcast REQUEST.
TEST_F(ProxyMode, AddressOfABoardIsLearnedFromItsRequest) {
    lab.send(pi.discover(), at(0s));
    const Outcome out = lab.send(TestClient(pi_mac).selecting(ip("172.16.1.50"), foreign), at(1s));
    ASSERT_NE(find_event<AddressLearned>(out), nullptr);
    EXPECT_EQ(*find_event<AddressLearned>(out), (AddressLearned{ip("172.16.1.50"), false}));
    const auto holder = lab.server.holder(ip("172.16.1.50"), at(2s));
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->board, "pi-01");
    EXPECT_EQ(holder->serial, Serial(0x1234abcd));
    // Another client has it later: it is no longer the board's.
    lab.send(TestClient("02:00:00:00:00:01").selecting(ip("172.16.1.50"), foreign), at(3s));
    EXPECT_FALSE(lab.server.holder(ip("172.16.1.50"), at(4s)));
}

// Some UEFIs ignore an offer that bypasses discovery: they get none, and ask on port 4011.
TEST_F(ProxyMode, UefiGetsTheFileOnBothPorts) {
    const auto offer = lab.answer(uefi.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->yiaddr, Ipv4Address());
    EXPECT_EQ(offer->options.text(OptionCode::vendor_class), "PXEClient");
    EXPECT_FALSE(offer->options.has(OptionCode::vendor_specific));
    EXPECT_EQ(offer->options.text(OptionCode::bootfile_name), "grub/grubaa64.efi");

    Message request = uefi.message(MessageType::request);
    request.ciaddr = ip("172.16.1.60");
    const Outcome out = lab.send(request, at(1s), on_4011(request.ciaddr));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(ToClient{request.ciaddr, client_port}));
    EXPECT_EQ(out.replies[0].local_port, proxy_port);
    const auto ack = parse(out.replies[0].bytes);
    EXPECT_EQ(ack->type, MessageType::ack);
    EXPECT_EQ(ack->file, "grub/grubaa64.efi");
    EXPECT_EQ(ack->siaddr, ip(server_text));
    EXPECT_EQ(ack->options.text(OptionCode::bootfile_name), "grub/grubaa64.efi");
    EXPECT_EQ(ack->options.text(OptionCode::vendor_class), "PXEClient");
    EXPECT_EQ(lab.server.holder(ip("172.16.1.60"), at(2s))->board, "vm-01");
}

TEST_F(ProxyMode, BiosIsToldToSkipDiscovery) {
    const auto offer = lab.answer(bios.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(to_hex(offer->options, OptionCode::vendor_specific), "060108ff");
    EXPECT_EQ(offer->file, "grub/grubaa64.efi");
}

TEST_F(ProxyMode, Port4011AnswersTheSourcePort) {
    Message request = bios.message(MessageType::request);
    const Ipv4Address client = ip("172.16.1.60");
    const Outcome out = lab.send(request, at(0s), on_4011(client, 4011));
    ASSERT_EQ(out.replies.size(), 1U);
    EXPECT_EQ(out.replies[0].destination, Destination(ToClient{client, 4011}));
}

// Nothing that two servers could throw at each other for ever, and nobody from elsewhere.
TEST_F(ProxyMode, Port4011AnswersNoOddSource) {
    const Message request = bios.message(MessageType::request);
    for (const std::uint16_t port : {std::uint16_t{67}, std::uint16_t{69}, std::uint16_t{7}}) {
        EXPECT_TRUE(lab.send(request, at(0s), on_4011(ip("172.16.1.60"), port)).replies.empty());
    }
    for (const std::string_view source : {"10.0.0.1", "172.16.1.1", "0.0.0.0", "172.16.1.255"}) {
        EXPECT_TRUE(lab.send(request, at(0s), on_4011(ip(source))).replies.empty()) << source;
    }
    const TestClient unknown = pxe("02:00:00:00:00:09", 0, "PXEClient");
    EXPECT_TRUE(lab.send(unknown.message(MessageType::request), at(0s), on_4011(ip("172.16.1.60")))
                    .replies.empty());
}

TEST_F(ProxyMode, UnknownBoardsAreHeldHereToo) {
    const Outcome out = lab.send(pi_client("dc:a6:32:99:99:99", Serial(1)).discover(), at(0s));
    EXPECT_TRUE(out.replies.empty());
    EXPECT_EQ(find_event<Held>(out)->reason, HoldReason::unknown_board);
}

TEST(OffMode, NothingIsAnsweredAndEverythingSeen) {
    Lab lab{with_mode(fleet::DhcpMode::off)};
    const TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    const Outcome discover = lab.send(pi.discover(), at(0s));
    EXPECT_TRUE(discover.replies.empty());
    EXPECT_NE(find_event<Discovered>(discover), nullptr);
    const Outcome request = lab.send(pi.selecting(ip("172.16.1.50"), ip("172.16.1.9")), at(1s));
    EXPECT_TRUE(request.replies.empty());
    EXPECT_NE(find_event<ForeignServer>(request), nullptr);
    EXPECT_EQ(lab.server.holder(ip("172.16.1.50"), at(2s))->board, "pi-01");
    Message inform = pi.message(MessageType::inform);
    inform.ciaddr = ip("172.16.1.50");
    EXPECT_TRUE(lab.send(inform, at(2s)).replies.empty());
}

}  // namespace
}  // namespace bramble::dhcp::test
