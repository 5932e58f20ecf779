// The fact sheet's sections 1 and 8: what Raspberry Pi boards need of a DHCP server.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

constexpr std::string_view strange_mac = "dc:a6:32:99:99:99";

class FactSheet : public testing::Test {
protected:
    Lab lab;
    TestClient pi = pi_client(pi_mac, Serial(0x1234abcd));
    // The kernel's own DHCP: the same MAC and nothing else (1.8).
    TestClient kernel = kernel_of(pi_mac);

    static TestClient kernel_of(std::string_view mac_text) {
        TestClient out(mac_text);
        out.xid = 0x99887766;
        out.always.set(OptionCode::parameter_request_list, hex("01 03 06 0c 0f 11 1a 28 2a"));
        return out;
    }
};

// 1.2: every form of option 97.
TEST_F(FactSheet, SerialIsTakenFromEveryFormOfOption97) {
    for (const MachineIdForm form :
         {MachineIdForm::rpi4,
          MachineIdForm::rpi4_reversed,
          MachineIdForm::rpi5,
          MachineIdForm::rpi5_reversed,
          MachineIdForm::serial_repeated,
          MachineIdForm::custom_prefix}) {
        Lab fresh;
        const Outcome out =
            fresh.send(pi_client(strange_mac, Serial(0x5b154510), form).discover(), at(0s));
        ASSERT_EQ(out.replies.size(), 1U);
        EXPECT_EQ(parse(out.replies[0].bytes)->yiaddr, ip("172.16.1.4"));
        EXPECT_EQ(out.events.front().client.serial, Serial(0x5b154510));
        EXPECT_EQ(out.events.front().client.board, "pi-02");
    }
}

// 1.2: the Pi 3B boot ROM shows no identity: it is known by its MAC.
TEST_F(FactSheet, Pi3RomIsKnownByItsMac) {
    const auto rom = pi_client("b8:27:eb:01:02:03", Serial(0), MachineIdForm::pi3_rom);
    lab.patient = true;
    const auto offer = lab.answer(rom.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->yiaddr, ip("172.16.1.5"));
    EXPECT_EQ(to_hex(offer->options, OptionCode::machine_identifier), "00" + std::string(32, '4'));
    // It asks for nothing more, and TFTP must know it by its address (10.1).
    EXPECT_EQ(lab.server.holder(ip("172.16.1.5"), at(1s))->board, "pi-03");
}

// 1.6: a Pi 3 that is answered within 2 s can loop for ever. Repetitions do not push it back, and
// the last of them is the one that is answered.
TEST_F(FactSheet, Pi3IsOfferedAfterTwoSeconds) {
    auto rom = pi_client("b8:27:eb:01:02:03", Serial(0), MachineIdForm::pi3_rom);
    EXPECT_TRUE(lab.send(rom.discover(), at(0s)).replies.empty());
    EXPECT_EQ(lab.server.next_deadline(), at(2s));
    rom.xid = 0x01020304;
    EXPECT_TRUE(lab.send(rom.discover(), at(1s)).replies.empty());
    EXPECT_EQ(lab.server.next_deadline(), at(2s));
    EXPECT_TRUE(lab.server.on_deadline(at(1999ms)).replies.empty());
    const Outcome out = lab.server.on_deadline(at(2s));
    ASSERT_EQ(out.replies.size(), 1U);
    const auto offer = parse(out.replies[0].bytes);
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->type, MessageType::offer);
    EXPECT_EQ(offer->xid, TransactionId(0x01020304));
    EXPECT_EQ(offer->yiaddr, ip("172.16.1.5"));
    EXPECT_TRUE(lab.server.on_deadline(at(4s)).replies.empty()) << "once";
}

// Others are not made to wait, nor the REQUEST and the kernel's DHCP of a Pi 3.
TEST_F(FactSheet, OnlyTheOfferToAPi3IsDelayed) {
    EXPECT_EQ(lab.send(pi.discover(), at(0s)).replies.size(), 1U);
    const auto pi3 = pi_client("b8:27:eb:01:02:03", Serial(0), MachineIdForm::pi3_rom);
    EXPECT_EQ(lab.send(kernel_of("b8:27:eb:01:02:03").discover(), at(0s)).replies.size(), 1U);
    EXPECT_TRUE(lab.send(pi3.discover(), at(1s)).replies.empty());
    EXPECT_EQ(lab.server.on_deadline(at(3s)).replies.size(), 1U);
    EXPECT_EQ(lab.send(pi3.selecting(ip("172.16.1.5")), at(4s)).replies.size(), 1U);
}

TEST_F(FactSheet, ADelayedOfferIsOfTheFleetAsItIsByThen) {
    const auto rom = pi_client("b8:27:eb:01:02:03", Serial(0), MachineIdForm::pi3_rom);
    ASSERT_TRUE(lab.send(rom.discover(), at(0s)).replies.empty());
    fleet::Fleet without = lab_fleet();
    std::erase_if(without.boards, [](const fleet::Board& board) { return board.name == "pi-03"; });
    lab.change_fleet(std::move(without));
    EXPECT_TRUE(lab.server.on_deadline(at(2s)).replies.empty());
}

TEST_F(FactSheet, BeyondABoundPi3OffersAreNotDelayed) {
    for (unsigned n = 0; n < 1024; ++n) {
        fleet::Fleet one = lab_fleet();
        one.boards.back().mac = mac(mac_number(n));
        one.boards.back().model = BoardModel::pi3;
        one.boards.back().serial.reset();
        one.boards.back().profile = one.boards.front().profile;
        lab.change_fleet(std::move(one));
        const auto rom = pi_client(mac_number(n), Serial(0), MachineIdForm::pi3_rom);
        ASSERT_TRUE(lab.send(rom.discover(), at(0s)).replies.empty()) << n;
    }
    const auto rom = pi_client("b8:27:eb:01:02:03", Serial(0), MachineIdForm::pi3_rom);
    EXPECT_EQ(lab.send(rom.discover(), at(0s)).replies.size(), 1U);
}

// Pitfall 7: option 93 says x86 on every Pi; an x86 says so as well.
TEST_F(FactSheet, Option93DecidesNothing) {
    for (const int architecture : {0, 6, 11, 41}) {
        Message discover = pi.discover();
        discover.options.set_u16(
            OptionCode::client_architecture, static_cast<std::uint16_t>(architecture)
        );
        EXPECT_EQ(recognise(discover).kind, ClientKind::pi_firmware) << architecture;
        discover.options.remove(OptionCode::machine_identifier);
        EXPECT_EQ(recognise(discover).kind, ClientKind::pxe) << architecture;
    }
}

// 1.2: UUIDs of other machines are no identity of a Pi.
TEST_F(FactSheet, OtherUuidsAreNoPi) {
    for (const std::string_view value :
         {"0000000000000000000000000000000000",
          "00ffffffffffffffffffffffffffffffff",
          "0012345678123412341234123456789abc",
          "0134695052123123c00032010203cdab34",
          "003469505212",
          ""}) {
        EXPECT_FALSE(parse_machine_id(hex(value), mac(pi_mac))) << value;
    }
}

// A vendor's MAC range alone makes no Pi of a client.
TEST_F(FactSheet, OuiIsAHintOnly) {
    const Recognition recognition = recognise(TestClient("b8:27:eb:00:00:01").discover());
    EXPECT_TRUE(recognition.raspberry_pi_oui);
    EXPECT_EQ(recognition.kind, ClientKind::plain);
}

// 1.3, pitfall 5: the REQUEST of old images has no option 60; the MAC tells.
TEST_F(FactSheet, RequestWithoutOption60GetsTheBootOptions) {
    const auto offer = lab.answer(pi.discover(), at(0s));
    TestClient bare(pi_mac);
    const auto ack = lab.answer(bare.selecting(offer->yiaddr), at(1s));
    ASSERT_TRUE(ack);
    for (const OptionCode code :
         {OptionCode::vendor_specific,
          OptionCode::vendor_class,
          OptionCode::tftp_server_name,
          OptionCode::machine_identifier}) {
        EXPECT_EQ(to_hex(ack->options, code), to_hex(offer->options, code));
    }
}

// 1.4 rule 2 and 3, "Design rule": siaddr, option 54 and option 66 are one address.
TEST_F(FactSheet, ServerAddressesAgree) {
    const auto offer = lab.answer(pi.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->siaddr, ip(server_text));
    EXPECT_EQ(offer->options.address(OptionCode::server_identifier), ip(server_text));
    EXPECT_EQ(offer->options.text(OptionCode::tftp_server_name), server_text);
}

// Pitfall 4: no pad options inside, one menu entry, no overload. 1.4: no 67, no 150 needed.
TEST_F(FactSheet, OfferHasNothingThatOldFirmwareStumblesOver) {
    const Outcome out = lab.send(pi.discover(), at(0s));
    ASSERT_EQ(out.replies.size(), 1U);
    const auto& bytes = out.replies[0].bytes;
    std::size_t at_octet = 240;
    while (bytes[at_octet] != std::byte{255}) {
        ASSERT_NE(bytes[at_octet], std::byte{0});
        EXPECT_NE(bytes[at_octet], std::byte{52});
        EXPECT_NE(bytes[at_octet], std::byte{67});
        EXPECT_NE(bytes[at_octet], std::byte{150});
        at_octet += 2 + std::to_integer<std::size_t>(bytes[at_octet + 1]);
    }
    EXPECT_LE(bytes.size(), 548U);  // pitfall 23
}

// 1.4: boot options are sent whether the Pi lists them or not.
TEST_F(FactSheet, BootOptionsDoNotDependOnTheParameterRequestList) {
    Message discover = pi.discover();
    discover.options.set(OptionCode::parameter_request_list, hex("01 03"));
    const auto offer = lab.answer(discover, at(0s));
    ASSERT_TRUE(offer);
    EXPECT_TRUE(offer->options.has(OptionCode::vendor_specific));
    EXPECT_TRUE(offer->options.has(OptionCode::vendor_class));
    EXPECT_TRUE(offer->options.has(OptionCode::tftp_server_name));
}

// 1.7: "Keep OFFERed addresses stable per MAC across 2–3 DHCP transactions."
TEST_F(FactSheet, AddressIsTheSameInEveryStageOfABoot) {
    for (const Serial serial : {Serial(0x1234abcd), Serial(0x5b154510), Serial(0x0badcafe)}) {
        const auto firmware = lab.bind(pi_client(strange_mac, serial), at(0s));
        ASSERT_TRUE(firmware);
        EXPECT_EQ(lab.bind(kernel_of(strange_mac), at(20s)), firmware);
        lab.restart();  // the serial must outlive it: the kernel does not say it
        EXPECT_EQ(lab.bind(kernel_of(strange_mac), at(30s)), firmware);
    }
}

// 1.8: a plain lease, the host's name, no boot options.
TEST_F(FactSheet, KernelGetsAPlainLeaseWithItsName) {
    ASSERT_TRUE(lab.bind(pi, at(0s)));
    const auto offer = lab.answer(kernel.discover(), at(20s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->yiaddr, ip("172.16.1.3"));
    EXPECT_EQ(offer->siaddr, ip(server_text));
    EXPECT_EQ(offer->options.text(OptionCode::host_name), "pi-01");
    EXPECT_FALSE(offer->options.has(OptionCode::vendor_specific));
    EXPECT_FALSE(offer->options.has(OptionCode::vendor_class));
    EXPECT_FALSE(offer->options.has(OptionCode::root_path));
    const auto ack = lab.answer(kernel.selecting(offer->yiaddr), at(20s));
    EXPECT_EQ(ack->options, offer->options);
}

class RootPathGate : public BootGate {
public:
    GateAnswer ask(const BootCandidate&, TimePoint) override { return Admit{}; }

    BootParameters parameters(const BootCandidate& candidate) const override {
        return {"", "172.16.1.1:/srv/" + candidate.board->name};
    }
};

// 1.8: "Option 17 (root-path) and siaddr fill nfsroot when it is not on the command line."
TEST_F(FactSheet, KernelIsToldItsRootPath) {
    RootPathGate gate;
    Lab told(lab_fleet(), &gate);
    const auto offer = told.answer(kernel.discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->options.text(OptionCode::root_path), "172.16.1.1:/srv/pi-01");
}

// 10.3: 64 boards power on in the same 100 ms; a lost ACK is asked for again; a reset board begins
// anew.
TEST_F(FactSheet, ResetBoardBeginsAnewWithItsAddress) {
    const auto address = lab.bind(pi, at(0s));
    pi.xid = 0x01020304;
    EXPECT_EQ(lab.bind(pi, at(1s)), address);
    EXPECT_EQ(lab.answer(pi.selecting(*address), at(2s))->type, MessageType::ack);
}

class ClosedGate : public BootGate {
public:
    GateAnswer ask(const BootCandidate& candidate, TimePoint) override {
        asked.push_back(candidate.client.board);
        if (open) return Admit{};
        return Wait{"nothing provisioned"};
    }

    bool open = false;
    std::vector<std::string> asked;
};

TEST_F(FactSheet, GateHoldsFirmwareAndNothingElse) {
    ClosedGate gate;
    Lab gated(lab_fleet(), &gate);
    const Outcome held = gated.send(pi.discover(), at(0s));
    EXPECT_TRUE(held.replies.empty());
    ASSERT_NE(find_event<Held>(held), nullptr);
    EXPECT_EQ(*find_event<Held>(held), (Held{HoldReason::not_yet, "nothing provisioned"}));
    EXPECT_TRUE(gated.bind(kernel, at(1s)));  // a running system is never held back
    EXPECT_EQ(gate.asked, std::vector<std::string>{"pi-01"});
    gate.open = true;
    EXPECT_TRUE(gated.bind(pi, at(8s)));
}

// Unknown boards: held, ignored, enrolled.
TEST_F(FactSheet, UnknownBoardIsHeldAndRecorded) {
    const Outcome out = lab.send(pi_client(strange_mac, Serial(0xfeedbeef)).discover(), at(0s));
    EXPECT_TRUE(out.replies.empty());
    ASSERT_NE(find_event<Held>(out), nullptr);
    EXPECT_EQ(find_event<Held>(out)->reason, HoldReason::unknown_board);
    EXPECT_EQ(out.events.back().client.serial, Serial(0xfeedbeef));
    EXPECT_EQ(out.events.back().client.revision, RevisionCode(0x00c03112));
    const Outcome request =
        lab.send(pi_client(strange_mac, Serial(0xfeedbeef)).selecting(ip("172.16.1.100")), at(1s));
    EXPECT_TRUE(request.replies.empty());
}

// Holding boards back is about booting: a laptop, or that board's own system from its card, gets an
// address.
TEST_F(FactSheet, UnknownClientThatDoesNotBootGetsAPoolAddress) {
    lab.send(pi_client(strange_mac, Serial(0xfeedbeef)).discover(), at(0s));
    EXPECT_TRUE(lab.bind(TestClient(strange_mac), at(60s)));
    EXPECT_TRUE(lab.bind(TestClient("02:00:00:00:00:01"), at(60s)));
}

TEST_F(FactSheet, IgnoredUnknownBoardLeavesNoTrace) {
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.unknown_boards = fleet::IgnoreUnknown{};
    lab.change_fleet(fleet);
    const Outcome out = lab.send(pi_client(strange_mac, Serial(0xfeedbeef)).discover(), at(0s));
    EXPECT_TRUE(out.replies.empty());
    EXPECT_TRUE(out.events.empty());
    EXPECT_EQ(lab.server.counters().unknown_boards, 1U);
}

TEST_F(FactSheet, EnrolledUnknownBoardGetsAPoolAddressWhenTheGateAdmitsIt) {
    ClosedGate gate;
    fleet::Fleet fleet = lab_fleet();
    fleet.appliance.unknown_boards = fleet::EnrollUnknown{"lab"};
    Lab enrolling(fleet, &gate);
    const TestClient unknown = pi_client(strange_mac, Serial(0xfeedbeef));
    const Outcome out = enrolling.send(unknown.discover(), at(0s));
    EXPECT_TRUE(out.replies.empty());
    ASSERT_NE(find_event<EnrollWanted>(out), nullptr);
    EXPECT_EQ(find_event<EnrollWanted>(out)->profile, "lab");
    gate.open = true;
    const auto offer = enrolling.answer(unknown.discover(), at(8s));
    ASSERT_TRUE(offer);
    EXPECT_TRUE(fleet.appliance.dhcp.pool->contains(offer->yiaddr));
    EXPECT_TRUE(offer->options.has(OptionCode::vendor_specific));
    EXPECT_EQ(enrolling.answer(unknown.selecting(offer->yiaddr), at(9s))->type, MessageType::ack);
}

// Two boards that swap their addresses in the fleet file must not wait for each other's leases.
TEST_F(FactSheet, BoardsMaySwapTheirAddresses) {
    const TestClient second = pi_client("dc:a6:32:2e:f8:ed", Serial(0x5b154510));
    ASSERT_EQ(lab.bind(pi, at(0s)), ip("172.16.1.3"));
    ASSERT_EQ(lab.bind(second, at(0s)), ip("172.16.1.4"));
    fleet::Fleet fleet = lab_fleet();
    std::swap(fleet.boards[0].address, fleet.boards[1].address);
    lab.change_fleet(fleet);
    EXPECT_TRUE(lab.send(pi.discover(), at(1s)).replies.empty());  // the other still runs with it
    EXPECT_EQ(lab.bind(second, at(2s)), ip("172.16.1.3"));
    EXPECT_EQ(lab.bind(pi, at(9s)), ip("172.16.1.4"));
    lab.restart(fleet);
    EXPECT_EQ(lab.server.holder(ip("172.16.1.3"), at(10s))->board, "pi-02");
    EXPECT_EQ(lab.server.holder(ip("172.16.1.4"), at(10s))->board, "pi-01");
}

// The operator replaced a board: the name keeps its address, at once.
TEST_F(FactSheet, ReplacedBoardTakesOverItsNamesAddress) {
    ASSERT_TRUE(lab.bind(pi, at(0s)));
    fleet::Fleet fleet = lab_fleet();
    fleet.boards[0].serial = Serial(0x77777777);
    fleet.boards[0].mac = mac("dc:a6:32:77:77:77");
    lab.change_fleet(fleet);
    EXPECT_EQ(
        lab.bind(pi_client("dc:a6:32:77:77:77", Serial(0x77777777)), at(1s)), ip("172.16.1.3")
    );
}

}  // namespace
}  // namespace bramble::dhcp::test
