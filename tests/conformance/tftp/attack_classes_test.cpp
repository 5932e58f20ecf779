// The attack classes T1 to T14 of the field's history, each with the input that shows it. T9's
// paths are also in tests/unit/tftp/resolve_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/tftp/conversation.hpp"

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

struct AttackClasses : testing::Test {
    Conversation talk;

    void SetUp() override { talk.files.add("file", 5000); }
};

TEST_F(AttackClasses, T1OverLongNamesAndModes) {
    for (const std::size_t length : {256U, 480U, 1000U, 4096U}) {
        talk.request_bytes("\0\1"s + std::string(length, 'a') + "\0octet\0"s);
        talk.request_bytes("\0\1file\0"s + std::string(length, 'o') + "\0"s);
        talk.request_bytes("\0\1"s + std::string(length, 'a'));  // no NUL before the end
        for (const std::string& line : talk.answers()) {
            EXPECT_THAT(line, testing::StartsWith("ERROR"));
        }
    }
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
}

TEST_F(AttackClasses, T2MissingTerminatorsAndOddOptionLists) {
    for (const std::string& datagram :
         {""s,
          "\0"s,
          "\1"s,
          "\0\1"s,
          "\0\1\0octet\0"s,
          "\0\1file\0"s,
          "\0\1file\0octet"s,
          "\0\1file\0octet\0blksize"s,
          "\0\1file\0octet\0blksize\0"s,
          "\0\1file\0octet\0blksize\0001024"s,
          "\0\1file\0octet\0\0001024\0"s}) {
        talk.request_bytes(datagram);
        talk.data_bytes(datagram);
        EXPECT_EQ(talk.answers(), silence) << testing::PrintToString(datagram);
    }
    EXPECT_EQ(talk.counters().in_malformed, 22U);
    std::string many = "octet";
    for (int i = 0; i < 40; ++i) many += " o" + std::to_string(i) + "=1";
    talk.ask("file", many + " blksize=1024");  // beyond option_pairs_max: not looked at
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
}

// The OACK is larger than a block of 8: it has a buffer of its own.
TEST_F(AttackClasses, T3AnOackLargerThanABlock) {
    talk.ask("file", "octet blksize=8 tsize=0 timeout=30 windowsize=65535");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=5000 blksize=8 timeout=30 windowsize=64"));
    Terms longest{65464, 65535, std::chrono::seconds(255), true, true, true};
    std::array<std::byte, oack_bytes_max> buffer{};
    EXPECT_EQ(emit_oack(longest, UINT64_MAX, buffer).size(), oack_bytes_max);
}

TEST_F(AttackClasses, T4NumberAbuse) {
    std::uint16_t port = 40'100;
    for (const char* option :
         {"blksize=0",
          "blksize=-1",
          "blksize=99999999999",
          "blksize=+512",
          "blksize=0x200",
          "blksize=512k",
          "blksize=",
          "timeout=0",
          "timeout=256",
          "timeout=-5",
          "windowsize=0",
          "windowsize=65536",
          "windowsize=-4",
          "tsize=18446744073709551616",
          "tsize=-1",
          "tsize=x"}) {
        talk.peer.port = ++port;
        talk.ask("file", "octet "s + option);
        EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512")) << option;
    }
    talk.peer.port = ++port;
    talk.request_bytes("\0\1file\0octet\0blksize\0 1024\0"s);  // a leading blank
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
}

TEST_F(AttackClasses, T5ShortErrorAndAck) {
    talk.ask("file");
    talk.answers();
    for (const std::string& datagram : {"\0\4"s, "\0\4\0"s, "\0\5"s, "\0\5\0"s, "\0\3"s}) {
        talk.data_bytes(datagram);
        EXPECT_EQ(talk.answers(), silence);
    }
    EXPECT_EQ(talk.engine.open_transfers(), 1U);
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 512"));
}

TEST_F(AttackClasses, T6LongErrorText) {
    talk.ask("file");
    talk.answers();
    talk.data_bytes("\0\5\0\0"s + std::string(1024, 'x'));
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
    EXPECT_EQ(talk.answers(), silence);
}

TEST_F(AttackClasses, T7HundredsOfRequestsFromOneSourceAtOnce) {
    for (std::uint16_t i = 0; i < 500; ++i) {
        talk.peer.port = static_cast<std::uint16_t>(20'000 + i);
        talk.ask("file");
        if (i % 3 == 0) talk.error(0, "Early terminate");  // request and error together
    }
    const Settings settings;
    EXPECT_LE(talk.engine.open_transfers(), settings.clients.transfers_per_client_max);
    EXPECT_EQ(talk.counters().in_over_rate, 500U - settings.clients.request_burst);
    talk.peer.address = Ipv4Address({172, 16, 1, 4});  // another board does not notice
    talk.answers();
    talk.ask("file");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
}

TEST_F(AttackClasses, T7APortUsedAgainAtOnce) {
    for (int i = 0; i < 20; ++i) {
        talk.ask("file", "octet tsize=0 blksize=1024");
        EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=5000 blksize=1024"));
        talk.error(0, "Early terminate");
    }
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
}

// Forged requests push out each other, never a board that is loading.
TEST_F(AttackClasses, T7ForgedRequestsDoNotEndABoardsOwnTransfer) {
    Settings settings;
    settings.clients.transfers_per_client_max = 4;
    Conversation board(settings);
    board.files.add("file", 5000);
    board.ask("file");
    board.answers();
    board.ack(1);
    board.answers();
    const Peer own = board.peer;
    for (std::uint16_t i = 0; i < 100; ++i) {
        board.peer.port = static_cast<std::uint16_t>(20'000 + i);
        board.ask("file");
    }
    board.answers();
    EXPECT_EQ(board.engine.open_transfers(), 4U);
    board.peer = own;
    board.ack(2);
    EXPECT_THAT(board.answers(), ElementsAre("DATA 3 512"));
}

TEST_F(AttackClasses, T8DatagramsThatDoNotBelongToTheState) {
    talk.ask("file", "octet blksize=1024");
    talk.ack(0);  // before the OACK left
    EXPECT_THAT(talk.answers(), ElementsAre("OACK blksize=1024"));
    talk.ack(7);  // no block was sent
    EXPECT_EQ(talk.answers(), silence);
    talk.ack(0);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 1024"));
    talk.ack(0);  // twice
    talk.data_bytes("\0\3\0\1hello"s);
    talk.data_bytes("\0\6blksize\0001024\0"s);
    talk.data_bytes("\0\1file\0octet\0"s);
    EXPECT_EQ(talk.answers(), silence);
    EXPECT_EQ(talk.counters().in_unexpected, 3U);
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 1024"));
    talk.peer.port = 40090;
    talk.ask("file", "octet multicast=");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
}

// What the resolver refuses looks exactly as what is not there.
TEST_F(AttackClasses, T9ARefusedPathLooksAsAMissingOne) {
    talk.files.forbid("../etc/shadow");
    talk.ask("../etc/shadow");
    EXPECT_THAT(talk.answers(), ElementsAre("ERROR 1 file not found"));
    const auto events = talk.events();
    EXPECT_EQ(events.at(0).outcome, Outcome::refused);
    EXPECT_EQ(events.at(0).reason, "forbidden");
}

TEST_F(AttackClasses, T10NothingIsAnsweredToErrorsAndWellKnownPorts) {
    for (const unsigned port : {0U, 7U, 19U, 53U, 67U, 68U, 69U, 1023U}) {
        talk.peer.port = static_cast<std::uint16_t>(port);
        talk.ask("file");
        talk.ask("missing");
        talk.ask_to_write("file");
        talk.ack(1);
        talk.error(4, "illegal");
        talk.request_bytes("garbage");
        EXPECT_EQ(talk.answers(), silence) << port;
    }
    talk.peer.port = 40'084;
    talk.error(5, "unknown transfer");  // of no transfer
    talk.request_bytes("\0\5\0\0loop\0"s);
    talk.request_bytes("\0\4\0\1"s);
    talk.data_bytes("garbage");
    EXPECT_EQ(talk.answers(), silence);
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
}

// At most one datagram until the first ACK, and a bounded number of retransmissions.
TEST_F(AttackClasses, T11AForgedRequestIsAFeebleMirror) {
    for (const char* options : {"octet", "octet windowsize=64 blksize=1468", "octet timeout=1"}) {
        Conversation forged;
        forged.files.add("file", 500'000);
        forged.ask("file", options);
        EXPECT_THAT(forged.answers(), SizeIs(1)) << options;
        EXPECT_THAT(forged.wait(300s), SizeIs(Settings{}.transfer.handshake_retries_max));
        EXPECT_EQ(forged.engine.open_transfers(), 0U);
    }
}

TEST_F(AttackClasses, T12BlindInjectionChangesNothing) {
    talk.ask("file");
    talk.answers();
    const Peer own = talk.peer;
    for (std::uint16_t port = 30'000; port < 30'200; ++port) {
        talk.peer.port = port;
        talk.ack(1);
        talk.error(0, "Early terminate");
    }
    const Lines told = talk.answers();
    EXPECT_THAT(told, AllOf(SizeIs(50), Each("ERROR 5 no such transfer")));  // and no more
    EXPECT_EQ(talk.counters().in_unknown_transfer, 400U);
    talk.peer = own;
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 512"));
}

TEST_F(AttackClasses, T13SixtyFiveThousandRequestsFollowedBySilence) {
    Settings settings;
    settings.transfers_max = 10'000;
    Conversation flood(settings);
    flood.files.add("file", 50'000'000);
    for (std::uint32_t i = 0; i < 65'000; ++i) {
        flood.peer = {
            Ipv4Address(0x0a000000U + i % 6000), static_cast<std::uint16_t>(1024 + i / 4)};
        flood.ask("file", "octet windowsize=65535 blksize=65464");
        if (i % 64 == 0) flood.answers();
    }
    EXPECT_EQ(flood.engine.open_transfers(), settings.transfers_max);
    EXPECT_GT(flood.counters().in_over_capacity, 0U);
    flood.wait(60s);
    EXPECT_EQ(flood.engine.open_transfers(), 0U);
    flood.peer = {Ipv4Address({172, 16, 1, 3}), 40'084};
    flood.ask("file");
    EXPECT_THAT(flood.answers(), ElementsAre("DATA 1 512"));
}

TEST_F(AttackClasses, T13EventsThatNobodyPollsAreBounded) {
    Settings settings;
    settings.events_max = 100;
    settings.replies_max = 10;
    settings.clients.request_burst = 1000;
    Conversation unread(settings);
    for (int i = 0; i < 500; ++i) unread.ask("missing");
    EXPECT_EQ(unread.events().size(), 100U);
    EXPECT_EQ(unread.counters().events_dropped, 400U);
    EXPECT_EQ(unread.counters().replies_dropped, 490U);
    EXPECT_THAT(unread.answers(), SizeIs(10));
}

TEST_F(AttackClasses, T13SourcesBeyondTheTableAreTurnedAwayUntilOneIsIdle) {
    Settings settings;
    settings.clients.clients_max = 100;
    Conversation flood(settings);
    for (std::uint32_t i = 0; i < 300; ++i) {
        flood.peer.address = Ipv4Address(0x0a000000U + i);
        flood.ask("missing");
    }
    EXPECT_EQ(flood.answers().size(), 100U);
    EXPECT_EQ(flood.counters().in_over_rate, 200U);
    flood.now += 1s;
    flood.ask("missing");
    EXPECT_THAT(flood.answers(), SizeIs(1));
}

// RFC 1123 §4.2.3.1: a duplicated ACK must not duplicate DATA.
TEST_F(AttackClasses, T14TheSorcerersApprentice) {
    for (const char* options : {"octet", "octet blksize=512 windowsize=2"}) {
        Conversation apprentice;
        apprentice.files.add("file", 512 * 40 + 1);
        apprentice.ask("file", options);
        std::size_t blocks = 0;
        unsigned last = 0;
        for (Lines lines = apprentice.answers(); !lines.empty(); lines = apprentice.answers()) {
            if (lines[0].starts_with("DATA")) blocks += lines.size();
            if (lines[0].starts_with("DATA")) last = static_cast<unsigned>(blocks);
            apprentice.ack(last);
            apprentice.ack(last);
            apprentice.ack(last);
            if (last > 0) apprentice.ack(last - 1);
        }
        EXPECT_EQ(blocks, 41U) << options;
    }
}

}  // namespace
}  // namespace bramble::tftp
