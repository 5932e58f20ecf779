#include "services/bramble/event_lines.hpp"

#include <gtest/gtest.h>

namespace bramble::program {
namespace {

dhcp::Event event(dhcp::EventBody body) {
    dhcp::Event out;
    out.client.mac = *MacAddress::parse("dc:a6:32:2e:f8:ed");
    out.client.serial = Serial(0x5b154510);
    out.client.board = "pi-01";
    out.what = std::move(body);
    return out;
}

TEST(EventLines, NameTheBoardByAllThatIsKnown) {
    dhcp::Acknowledged body;
    body.address = *Ipv4Address::parse("172.16.1.3");
    body.expires = TimePoint(std::chrono::seconds(1'600'000'000));
    EXPECT_EQ(
        log_line(event(body)),
        "dhcp acknowledged mac=dc:a6:32:2e:f8:ed serial=5b154510 board=pi-01 address=172.16.1.3 "
        "state=selecting expires=2020-09-13T12:26:40Z"
    );
    dhcp::Event stranger = event(dhcp::Held{dhcp::HoldReason::no_pool, "say \"pool\""});
    stranger.client.serial.reset();
    stranger.client.board.clear();
    EXPECT_EQ(
        log_line(stranger),
        "dhcp held mac=dc:a6:32:2e:f8:ed reason=" +
            std::string(to_string(dhcp::HoldReason::no_pool)) + " detail=\"say \\x22pool\\x22\""
    );
}

TEST(EventLines, NoticesAreWhatNoBoardsStoryTells) {
    EXPECT_EQ(
        notice_of(event(dhcp::ForeignServer{*Ipv4Address::parse("172.16.1.9"), {}})),
        "another DHCP server answers here: 172.16.1.9"
    );
    dhcp::Event stranger = event(dhcp::Held{dhcp::HoldReason::unknown_board, ""});
    EXPECT_EQ(notice_of(stranger), "") << "a board of the fleet has its story";
    stranger.client.board.clear();
    EXPECT_EQ(
        notice_of(stranger),
        "asks without being in the fleet: mac=dc:a6:32:2e:f8:ed serial=5b154510"
    );
    stranger.what = dhcp::Discovered{};
    EXPECT_EQ(notice_of(stranger), "");
}

// A thousand boards ask for addresses together: one line each, and one more for what is wrong.
TEST(EventLines, OfAnExchangeOnlyItsEndIsShown) {
    EXPECT_EQ(level_of(event(dhcp::Discovered{})), spdlog::level::debug);
    EXPECT_EQ(level_of(event(dhcp::Offered{})), spdlog::level::debug);
    EXPECT_EQ(level_of(event(dhcp::Acknowledged{})), spdlog::level::info);
    EXPECT_EQ(level_of(event(dhcp::AddressLearned{})), spdlog::level::debug);
    EXPECT_EQ(level_of(event(dhcp::Refused{})), spdlog::level::warn);
    EXPECT_EQ(level_of(event(dhcp::ForeignServer{})), spdlog::level::warn);
}

// Sixty files a boot, most of them probes: only what went wrong is worth an operator's line.
TEST(EventLines, TransfersAreQuietUnlessTheyFail) {
    tftp::TransferEvent transfer;
    transfer.peer = {*Ipv4Address::parse("172.16.1.3"), 40084};
    transfer.board = "pi-01";
    transfer.path = "kernel8.img";
    transfer.generation = 3;
    transfer.file_bytes = 10;
    EXPECT_EQ(level_of(transfer), spdlog::level::debug);
    transfer.outcome = tftp::Outcome::timed_out;
    transfer.bytes = 4;
    transfer.retransmissions = 8;
    transfer.ended = transfer.started + std::chrono::seconds(2);
    const std::string line = log_line(transfer);
    EXPECT_EQ(level_of(transfer), spdlog::level::warn);
    EXPECT_NE(
        line.find("peer=172.16.1.3:40084 board=pi-01 path=\"kernel8.img\" generation=3 "
                  "bytes=4/10"),
        std::string::npos
    ) << line;
}

// A board that names a file "x\nerror …" must not write a line of ours.
TEST(EventLines, NothingFromTheWireForgesALine) {
    EXPECT_EQ(shown("a\nb\"c\\d\x7f"), "a\\x0ab\\x22c\\x5cd\\x7f");
    EXPECT_EQ(shown(std::string(500, 'a')).size(), 120 + std::string("…").size());
}

}  // namespace
}  // namespace bramble::program
