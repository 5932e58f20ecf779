// What the servers report, in the words of a story.
#include "services/boards/translate.hpp"

#include <gtest/gtest.h>

namespace bramble::boards {
namespace {

dhcp::Event heard(dhcp::ClientKind kind, dhcp::EventBody what) {
    dhcp::Event event;
    event.at = TimePoint(std::chrono::hours(1));
    event.client.mac = *MacAddress::parse("dc:a6:32:2e:f8:ed");
    event.client.serial = Serial(0x5b154510);
    event.client.revision = RevisionCode(0xc03112);
    event.client.kind = kind;
    event.client.board = "pi-01";
    event.what = std::move(what);
    return event;
}

TEST(TranslateTest, TheFirmwaresDhcpIsToldFromTheSystems) {
    const auto firmware = translate(heard(dhcp::ClientKind::pi_firmware, dhcp::Discovered{}));
    EXPECT_EQ(std::get<AskedForAddress>(firmware->what).speaker, Speaker::firmware);
    EXPECT_EQ(firmware->who.board, "pi-01");
    EXPECT_EQ(firmware->who.kind, "pi4");
    const auto system = translate(heard(dhcp::ClientKind::plain, dhcp::Discovered{}));
    EXPECT_EQ(std::get<AskedForAddress>(system->what).speaker, Speaker::system);
}

TEST(TranslateTest, AnOverheardAddressStandsForTheAck) {
    const Ipv4Address address({172, 16, 1, 3});
    const auto overheard =
        translate(heard(dhcp::ClientKind::pi_firmware, dhcp::AddressLearned{address, false}));
    EXPECT_EQ(std::get<GotAddress>(overheard->what).address, address);
    EXPECT_FALSE(translate(heard(dhcp::ClientKind::pi_firmware, dhcp::AddressLearned{address, true})
    ));
}

TEST(TranslateTest, AHoldHasItsReasonInWords) {
    const auto held = translate(
        heard(dhcp::ClientKind::pi_firmware, dhcp::Held{dhcp::HoldReason::unknown_board, ""})
    );
    EXPECT_EQ(std::get<Held>(held->what).reason, "the fleet file does not know it");
}

TEST(TranslateTest, AnotherServerIsToldOfWithWhatIsKnown) {
    const Ipv4Address server({172, 16, 1, 254});
    const MacAddress mac({2, 0, 0, 0, 0, 0xfe});
    const auto told = translate(heard(dhcp::ClientKind::plain, dhcp::ForeignServer{server, mac}));
    EXPECT_EQ(std::get<ForeignServerHeard>(told->what).server, server);
    EXPECT_EQ(std::get<ForeignServerHeard>(told->what).mac, mac);
    const Ipv4Address address({172, 16, 1, 207});
    const auto offered =
        translate(heard(dhcp::ClientKind::plain, dhcp::OfferedByAnother{server, address}));
    EXPECT_EQ(offered->who.board, "pi-01");
    EXPECT_EQ(std::get<OfferedByAnother>(offered->what).address, address);
}

TEST(TranslateTest, WhatIsNoPartOfABootIsLeftOut) {
    EXPECT_FALSE(translate(heard(dhcp::ClientKind::plain, dhcp::Released{})));
}

TEST(TranslateTest, EachOutcomeOfATransferHasItsWord) {
    const std::vector<std::pair<tftp::Outcome, FileOutcome>> outcomes = {
        {tftp::Outcome::complete, FileOutcome::loaded},
        {tftp::Outcome::complete_unacknowledged, FileOutcome::loaded},
        {tftp::Outcome::probe, FileOutcome::probed},
        {tftp::Outcome::aborted, FileOutcome::failed},
        {tftp::Outcome::timed_out, FileOutcome::failed},
        {tftp::Outcome::missing, FileOutcome::missing},
        {tftp::Outcome::refused, FileOutcome::refused},
        {tftp::Outcome::replaced, FileOutcome::failed},
    };
    for (const auto& [outcome, word] : outcomes) {
        tftp::TransferEvent event;
        event.board = "pi-01";
        event.path = "kernel8.img";
        event.outcome = outcome;
        event.bytes = 100;
        event.file_bytes = 1000;
        const Event translated = translate(event);
        const auto& file = std::get<FileEnded>(translated.what);
        EXPECT_EQ(file.outcome, word);
        EXPECT_EQ(file.bytes, word == FileOutcome::loaded ? 1000U : 100U);
        EXPECT_EQ(translated.who.board, "pi-01");
    }
}

}  // namespace
}  // namespace bramble::boards
