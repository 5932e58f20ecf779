// RFC 2347, "TFTP Option Extension".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/tftp/conversation.hpp"

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// "If the server supports option negotiation, and it recognizes one or more of the options
// specified in the request packet, the server may respond with an Options Acknowledgment (OACK).
// Each option the server recognizes, and accepts the value for, is included in the OACK."
TEST(Rfc2347, EachRecognisedOptionStandsInTheOack) {
    Conversation talk;
    talk.files.add("start4.elf", 2'303'680);
    talk.ask("start4.elf", "octet tsize=0 blksize=1024");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=2303680 blksize=1024"));
}

// "The server must not include in the OACK any option which had not been specifically requested by
// the client; that is, only the client may initiate option negotiation."
TEST(Rfc2347, NothingThatWasNotAskedForStandsInTheOack) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet blksize=1024");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK blksize=1024"));
    talk.peer.port = 40085;
    talk.ask("file", "octet tsize=0");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=3000"));
    talk.peer.port = 40086;
    talk.ask("file", "octet windowsize=4");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK windowsize=4"));
    talk.peer.port = 40087;
    talk.ask("file", "octet timeout=5");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK timeout=5"));
}

// "Options which the server does not support should be omitted from the OACK; they should not cause
// an ERROR packet to be generated."
TEST(Rfc2347, UnknownOptionsAreOmitted) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet multicast=x blksize=1024 saveas=y");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK blksize=1024"));
}

// "If the server does not support option negotiation, or none of the options": then it answers as
// RFC 1350 has it, with the first block.
TEST(Rfc2347, WithoutAnAcceptedOptionTheFirstBlockAnswers) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet rollover=0 blksize=7");
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512"));
}

// "opt1: The first option, in case-insensitive ASCII (e.g., blksize)."
TEST(Rfc2347, OptionNamesAreReadInAnyCase) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet BlkSize=1024 TSIZE=0");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=3000 blksize=1024"));
}

// "The order in which options are specified is not significant."
TEST(Rfc2347, TheOrderOfOptionsIsNotSignificant) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet windowsize=2 blksize=1024 tsize=0");
    const Lines one = talk.answers();
    talk.peer.port = 40085;
    talk.ask("file", "octet tsize=0 blksize=1024 windowsize=2");
    EXPECT_EQ(talk.answers(), one);
}

// "The maximum size of a request packet is 512 octets."
TEST(Rfc2347, ARequestBeyond512OctetsIsDropped) {
    Conversation talk;
    const std::string tail("\0octet\0", 7);
    const std::string head("\0\1", 2);
    talk.request_bytes(head + std::string(512 - 2 - 7, 'a') + tail);
    EXPECT_THAT(talk.answers(), ElementsAre("ERROR 1 file not found"));
    talk.peer.port = 40085;
    talk.request_bytes(head + std::string(513 - 2 - 7, 'a') + tail);
    EXPECT_EQ(talk.answers(), silence);
    EXPECT_EQ(talk.counters().in_malformed, 1U);
}

// "A client acknowledges the OACK with an ACK packet with block number zero": then the first block.
TEST(Rfc2347, AckZeroConfirmsTheOackAndTheFirstBlockFollows) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet blksize=1024");
    talk.answers();
    talk.ack(0);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 1024"));
}

// "If a client … sends an ERROR packet, with error code 8, to the server": the transfer is over.
TEST(Rfc2347, Error8RefusesTheOack) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet blksize=1024");
    talk.answers();
    talk.error(8, "blksize does not suit");
    EXPECT_EQ(talk.wait(10s), silence);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::aborted);
}

// An OACK is retransmitted as a DATA is; a client that never confirms it is given up.
TEST(Rfc2347, AnUnconfirmedOackIsRepeatedAFewTimes) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet blksize=1024");
    talk.answers();
    EXPECT_THAT(
        talk.wait(60s),
        ElementsAre("1.00 OACK blksize=1024", "3.00 OACK blksize=1024", "7.00 OACK blksize=1024")
    );
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::timed_out);
}

// An option given twice says two things: it is treated as if it had not been given.
TEST(Rfc2347, AnOptionGivenTwiceIsLeftOut) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet blksize=1024 blksize=1468 tsize=0");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=3000"));
}

}  // namespace
}  // namespace bramble::tftp
