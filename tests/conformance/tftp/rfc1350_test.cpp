// RFC 1350, "The TFTP Protocol (Revision 2)": the server of a read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/tftp/conversation.hpp"

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// §2: "If the server grants the request, the connection is opened and the file is sent in fixed
// length blocks of 512 bytes."
TEST(Rfc1350Section2, TheFirstBlockAnswersTheRequest) {
    Conversation talk;
    talk.files.add("kernel8.img", 1000);
    talk.ask("kernel8.img");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
}

// §2: "Each data packet contains one block of data, and must be acknowledged by an acknowledgment
// packet before the next packet can be sent."
TEST(Rfc1350Section2, TheNextBlockWaitsForTheAcknowledgement) {
    Conversation talk;
    talk.files.add("kernel8.img", 2000);
    talk.ask("kernel8.img");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
    EXPECT_EQ(talk.answers(), silence);
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 512"));
    EXPECT_EQ(talk.answers(), silence);
}

// §2: "A data packet of less than 512 bytes signals termination of a transfer."
TEST(Rfc1350Section2, AShortBlockIsTheLast) {
    Conversation talk;
    talk.files.add("kernel8.img", 1000);
    talk.ask("kernel8.img");
    talk.answers();
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 488"));
    talk.ack(2);
    EXPECT_EQ(talk.answers(), silence);
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
    const auto events = talk.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].outcome, Outcome::complete);
    EXPECT_EQ(events[0].bytes, 1000U);
}

// §2 again: a file whose size is a multiple of the block's needs an empty block behind it.
TEST(Rfc1350Section2, AFileOfWholeBlocksEndsWithAnEmptyOne) {
    Conversation talk;
    talk.files.add("two", 1024);
    talk.ask("two");
    talk.answers();
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 512"));
    talk.ack(2);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 3 0"));
    talk.ack(3);
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
}

TEST(Rfc1350Section2, AnEmptyFileIsOneEmptyBlock) {
    Conversation talk;
    talk.files.add("empty", 0);
    talk.ask("empty");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 0"));
    talk.ack(1);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::complete);
}

TEST(Rfc1350Section2, EveryByteArrivesInItsPlace) {
    for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 5120U, 100'001U}) {
        Conversation talk;
        talk.files.add("file", size);
        EXPECT_EQ(talk.load("file", "octet"), file_bytes(size)) << size;
    }
}

// §2: "If a packet gets lost in the network, the intended recipient will timeout and may retransmit
// his last packet … thus causing the sender of the lost packet to retransmit that lost packet."
TEST(Rfc1350Section2, ALostBlockIsSentAgain) {
    Conversation talk;
    talk.files.add("kernel8.img", 2000);
    talk.ask("kernel8.img");
    talk.answers();
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 512"));
    EXPECT_THAT(talk.wait(1500ms), ElementsAre("1.00 DATA 2 512"));
    talk.ack(2);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 3 512"));
}

// §2: "an error packet … is not acknowledged, and not retransmitted".
TEST(Rfc1350Section2, AnErrorIsSentOnceAndForgotten) {
    Conversation talk;
    talk.ask("missing");
    EXPECT_THAT(talk.answers(), ElementsAre("ERROR 1 file not found"));
    EXPECT_EQ(talk.wait(20s), silence);
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::missing);
}

// §2: "Three types of events: not being able to satisfy the request (e.g., file not found, access
// violation, or no such user) …": a server for reading only has no file to write.
TEST(Rfc1350Section2, AWriteRequestIsAnAccessViolation) {
    Conversation talk;
    talk.files.add("kernel8.img", 1000);
    talk.ask_to_write("kernel8.img");
    EXPECT_THAT(talk.answers(), ElementsAre("ERROR 2 this server is read-only"));
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::refused);
}

// §4: "If a source TID does not match, the packet should be discarded as erroneously sent from
// somewhere else. An error packet should be sent to the source of the incorrect packet, while not
// disturbing the transfer."
TEST(Rfc1350Section4, AnotherTidIsToldSoAndTheTransferGoesOn) {
    Conversation talk;
    talk.files.add("kernel8.img", 2000);
    talk.ask("kernel8.img");
    talk.answers();
    talk.peer.port = 40085;
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("ERROR 5 no such transfer"));
    talk.peer.port = 40084;
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 512"));
}

// §5: "The mode field contains the string "netascii", "octet", or "mail" (or any combination of
// upper and lower case …)".
TEST(Rfc1350Section5, TheModeIsReadInAnyCase) {
    Conversation talk;
    talk.files.add("file", 10);
    talk.ask("file", "OcTeT");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 10"));
}

// §1: "three modes of transfer are currently supported": netascii would have to change the bytes of
// a kernel, and mail is obsolete; both are refused by name, as is what nobody knows.
TEST(Rfc1350Section5, OtherModesAreRefused) {
    for (const char* mode : {"netascii", "mail", "binary"}) {
        Conversation talk;
        talk.files.add("file", 10);
        talk.ask("file", mode);
        EXPECT_THAT(talk.answers(), ElementsAre("ERROR 4 only mode octet is served")) << mode;
    }
}

// §5: "The block numbers on data packets begin with one and increase by one for each new block of
// data." The RFC is silent on 65535 + 1; clients that can go on expect 0.
TEST(Rfc1350Section5, BlockNumbersGoOnFromZero) {
    Conversation talk;
    const std::size_t size = 8 * 65'540 + 3;
    talk.files.add("large", size);
    EXPECT_EQ(talk.load("large", "octet blksize=8"), file_bytes(size));
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::complete);
}

// §6: "The host acknowledging the final DATA packet may terminate its side of the connection …":
// its last ACK may be lost, and then nobody answers any more. The server ends in quiet.
TEST(Rfc1350Section6, ALostFinalAckEndsInQuiet) {
    Conversation talk;
    talk.files.add("file", 600);
    talk.ask("file");
    talk.answers();
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 88"));
    EXPECT_THAT(
        talk.wait(30s),
        ElementsAre("1.00 DATA 2 88", "3.00 DATA 2 88", "7.00 DATA 2 88", "11.00 DATA 2 88")
    );
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::complete_unacknowledged);
}

// §7: "an error packet … If this packet is received, the connection is terminated".
TEST(Rfc1350Section7, AnErrorFromTheClientEndsTheTransfer) {
    Conversation talk;
    talk.files.add("file", 5000);
    talk.ask("file");
    talk.answers();
    for (unsigned block = 1; block <= 3; ++block) {
        talk.ack(block);
        talk.answers();
    }
    talk.error(3, "disk full");
    EXPECT_EQ(talk.wait(10s), silence);
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::aborted);
}

TEST(Rfc1350, ASilentClientIsGivenUpAfterABoundedNumberOfTries) {
    Conversation talk;
    talk.files.add("file", 5000);
    talk.ask("file");
    talk.answers();
    talk.ack(1);
    talk.answers();
    EXPECT_EQ(talk.wait(120s).size(), Settings{}.transfer.retries_max);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::timed_out);
    EXPECT_EQ(talk.engine.open_transfers(), 0U);
}

}  // namespace
}  // namespace bramble::tftp
