// The fact sheet's section 2 and its rules 7 to 12, 18 and 21: what real boards need of a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/tftp/conversation.hpp"

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct FactSheet : testing::Test {
    Conversation talk;
};

// 2.1: the request of every EEPROM since 2019, octet by octet.
TEST_F(FactSheet, TheBoardsOwnRequestGetsBothOptions) {
    talk.files.add("d9780558/start4.elf", 2'241'824);
    const std::string rrq(
        "\0\1d9780558/start4.elf\0octet\0tsize\0"
        "0\0blksize\0"
        "1024\0",
        49
    );
    talk.request_bytes(rrq);
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=2241824 blksize=1024"));
}

// 2.2: RRQ, OACK, then ERROR 0 "Early terminate": the board looked whether the file is there.
TEST_F(FactSheet, EarlyTerminateIsAProbeAndFreesTheSessionAtOnce) {
    talk.files.add("start4.elf", 2'241'824);
    talk.ask("start4.elf", "octet tsize=0 blksize=1024");
    talk.answers();
    talk.error(0, "Early terminate");
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
    EXPECT_EQ(talk.wait(10s), silence);
    const auto events = talk.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].outcome, Outcome::probe);
    EXPECT_EQ(events[0].retransmissions, 0U);
}

// 2.7: Pi 5 drops its kernel probe at block 1.
TEST_F(FactSheet, AProbeMayAlsoEndAtTheFirstBlock) {
    talk.files.add("kernel8.img", 293'481);
    talk.ask("kernel8.img");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
    talk.error(0, "Early terminate");
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::probe);
}

// EDK2 takes the OACK, sends error 4 "User aborted download", and asks again without tsize.
TEST_F(FactSheet, Edk2LearnsTheSizeByAborting) {
    talk.files.add("grubaa64.efi", 4'000'000);
    talk.ask("grubaa64.efi", "octet tsize=0 blksize=1468 windowsize=4");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=4000000 blksize=1468 windowsize=4"));
    talk.error(4, "User aborted download");
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::probe);
    talk.ask("grubaa64.efi", "octet blksize=1468 windowsize=4");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK blksize=1468 windowsize=4"));
}

TEST_F(FactSheet, AnErrorInMidTransferIsNoProbe) {
    talk.files.add("kernel8.img", 10'000);
    talk.ask("kernel8.img");
    talk.answers();
    talk.ack(1);
    talk.answers();
    talk.ack(2);
    talk.answers();
    talk.error(0, "Early terminate");
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::aborted);
}

// 2.2: a missing file is answered immediately; silence would cost 30 s.
TEST_F(FactSheet, AMissingFileIsAnsweredAtOnce) {
    talk.ask("recovery.elf", "octet tsize=0 blksize=1024");
    EXPECT_THAT(talk.answers(), ElementsAre("ERROR 1 file not found"));
}

// Rule 8 (F#1631): a duplicated DATA n makes some firmware acknowledge n+1 and hang. Whatever the
// client repeats, nothing is sent again before the timer says that it was lost, which is one second
// where it is set so or where nothing was learnt yet.
TEST(FactSheetRule8, NothingIsSentTwiceBeforeTheTimer) {
    Settings settings;
    settings.transfer.retransmit.floor = 1s;
    Conversation talk(settings);
    talk.files.add("kernel8.img", 100'000);
    talk.ask("kernel8.img", "octet tsize=0 blksize=1024");
    EXPECT_EQ(talk.answers().size(), 1U);
    EXPECT_EQ(talk.wait(990ms), silence);
    talk.ack(0);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 1024"));
    for (int i = 0; i < 9; ++i) {
        talk.now += 100ms;
        talk.ack(0);
        EXPECT_EQ(talk.answers(), silence);
    }
}

// The same with a board whose round trips take microseconds: the timer learns, its floor holds.
TEST_F(FactSheet, QuickRoundTripsDoNotUndercutTheFloor) {
    talk.files.add("kernel8.img", 100'000);
    talk.ask("kernel8.img", "octet blksize=1024");
    for (unsigned block = 0; block < 50; ++block) {
        talk.answers();
        talk.now += 200us;
        talk.ack(block);
    }
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 50 1024"));
    EXPECT_THAT(talk.wait(1500ms), ElementsAre("1.00 DATA 50 1024"));
}

// A client that acknowledges a repeated block once more had it all the time: this transfer's timer
// is a second from then on, whatever the floor is set to.
TEST(RetransmissionTimer, AClientThatHadARepeatedBlockIsGivenASecond) {
    Settings settings;
    settings.transfer.retransmit.floor = 200ms;
    Conversation talk(settings);
    talk.files.add("kernel8.img", 100'000);
    talk.ask("kernel8.img", "octet blksize=1024");
    talk.answers();
    talk.ack(0);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 1024"));
    EXPECT_THAT(talk.wait(300ms), ElementsAre("0.20 DATA 1 1024"));
    talk.ack(1);  // of the first one, late
    talk.answers();
    talk.ack(1);  // of the second one
    talk.answers();
    talk.ack(2);
    talk.answers();
    EXPECT_EQ(talk.wait(990ms), silence);
}

TEST(RetransmissionTimer, FollowsTheTransfersOwnRoundTripsAboveAConfiguredFloor) {
    Settings settings;
    settings.transfer.retransmit.floor = 20ms;
    Conversation talk(settings);
    talk.files.add("kernel8.img", 100'000);
    talk.ask("kernel8.img", "octet blksize=1024");
    for (unsigned block = 0; block < 50; ++block) {
        talk.answers();
        talk.now += 10ms;
        talk.ack(block);
    }
    talk.answers();
    const Lines lines = talk.wait(100ms);
    ASSERT_GE(lines.size(), 1U);
    EXPECT_EQ(lines[0], "0.02 DATA 50 1024");
}

// The timer begins at one second also where the floor is lower: nothing is known yet.
TEST(RetransmissionTimer, BeginsAtOneSecond) {
    Settings settings;
    settings.transfer.retransmit.floor = 20ms;
    Conversation talk(settings);
    talk.files.add("file", 3000);
    talk.ask("file", "octet blksize=1024");
    talk.answers();
    EXPECT_THAT(talk.wait(1500ms), ElementsAre("1.00 OACK blksize=1024"));
}

// A slow client is waited for: its round trips of 1.2 s move the timer above its floor.
TEST(RetransmissionTimer, WaitsForASlowClient) {
    Conversation talk;
    talk.files.add("file", 100'000);
    talk.ask("file");
    for (unsigned block = 1; block < 6; ++block) {
        talk.answers();
        talk.wait(900ms);
        talk.ack(block);
    }
    talk.answers();
    EXPECT_EQ(talk.wait(1000ms), silence);
}

// 2.2: "a re-sent RRQ from the same source port restarts/continues the same session".
TEST_F(FactSheet, ARepeatedRequestNeverOpensASecondSession) {
    talk.files.add("file", 5000);
    talk.ask("file", "octet tsize=0");
    EXPECT_EQ(talk.answers().size(), 1U);
    talk.ask("file", "octet tsize=0");  // duplicated by the network
    EXPECT_EQ(talk.answers(), silence);
    EXPECT_EQ(talk.engine.open_transfers(), 1U);
    EXPECT_EQ(talk.counters().in_repeated_requests, 1U);
    EXPECT_EQ(talk.files.asked, 1U);
}

TEST(RepeatedRequest, GetsTheOackAgainWhenTheFirstIsOlderThanASecond) {
    Settings settings;
    settings.transfer.handshake_retries_max = 0;  // so that only the request can bring it
    Conversation talk(settings);
    talk.files.add("file", 5000);
    talk.ask("file", "octet tsize=0");
    talk.answers();
    talk.now += 999ms;
    talk.ask("file", "octet tsize=0");
    EXPECT_EQ(talk.answers(), silence);
    talk.now += 1ms;
    talk.ask("file", "octet tsize=0");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=5000"));
    EXPECT_EQ(talk.engine.open_transfers(), 1U);
}

TEST(RepeatedRequest, InMidTransferIsIgnoredWhileTheTransferMoves) {
    Conversation talk;
    talk.files.add("file", 5000);
    talk.ask("file");
    talk.answers();
    talk.ack(1);
    talk.answers();
    talk.ask("file");
    EXPECT_EQ(talk.answers(), silence);
    talk.ack(2);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 3 512"));
}

// 10.3: a board that is reset draws its old source ports again within seconds.
TEST(RepeatedRequest, AfterABoardsResetBeginsAnew) {
    Conversation talk;
    talk.files.add("file", 5000);
    talk.ask("file", "octet blksize=1024");
    talk.answers();
    talk.ack(0);
    talk.answers();
    talk.ack(1);
    talk.answers();
    talk.now += 4s;
    talk.ask("file", "octet blksize=1024");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK blksize=1024"));
    EXPECT_EQ(talk.engine.open_transfers(), 1U);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::replaced);
    talk.ack(0);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 1024"));
}

TEST(RepeatedRequest, ForAnotherFileReplacesTheTransferAtOnce) {
    Conversation talk;
    talk.files.add("one", 5000);
    talk.files.add("two", 100);
    talk.ask("one");
    talk.answers();
    talk.ask("two");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 100"));
    EXPECT_EQ(talk.engine.open_transfers(), 1U);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::replaced);
}

// A client that turns to its next file after a last ACK that was lost had the first one whole.
TEST(RepeatedRequest, AfterALostFinalAckLeavesACompleteTransferBehind) {
    Conversation talk;
    talk.files.add("one", 600);
    talk.files.add("two", 100);
    talk.ask("one");
    talk.answers();
    talk.ack(1);
    talk.answers();
    talk.ask("two");
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::complete_unacknowledged);
}

// Rule 9: retry storms of 50 requests a second per board get cheap answers, all of them.
TEST_F(FactSheet, ARetryStormIsAnswered) {
    for (int i = 0; i < 500; ++i) {
        talk.now += 20ms;
        talk.peer.port = static_cast<std::uint16_t>(40'000 + i);
        talk.ask("start4.elf", "octet tsize=0 blksize=1024");
        EXPECT_THAT(talk.answers(), ElementsAre("ERROR 1 file not found"));
    }
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
}

// Rule 11: the size gate is provisioning's; the server rolls over to 0.
TEST_F(FactSheet, AFileBeyond65535BlocksOf1468RollsToZero) {
    const std::size_t size = std::size_t{1468} * 65'540;
    talk.files.add("boot.img", size);
    EXPECT_EQ(talk.load("boot.img", "octet tsize=0 blksize=1468"), file_bytes(size));
}

}  // namespace
}  // namespace bramble::tftp
