// RFC 7440, "TFTP Windowsize Option".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/tftp/conversation.hpp"

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct Rfc7440 : testing::Test {
    Conversation talk;

    // A transfer of `blocks` full blocks and one short one, its OACK confirmed.
    void begin(unsigned blocks, unsigned windowsize) {
        talk.files.add("file", 512 * blocks + 10);
        talk.ask("file", "octet windowsize=" + std::to_string(windowsize));
        EXPECT_THAT(talk.answers(), ElementsAre("OACK windowsize=" + std::to_string(windowsize)));
        talk.ack(0);
    }
};

// §3: "The valid values range MUST be between 1 and 65535 blocks, inclusive."
TEST_F(Rfc7440, TheValidRange) {
    for (const auto& [asked, answer] : std::vector<std::pair<std::string, std::string>>{
             {"0", "DATA 1 512"},
             {"1", "OACK windowsize=1"},
             {"64", "OACK windowsize=64"},
             {"65535", "OACK windowsize=64"},
             {"65536", "DATA 1 512"},
         }) {
        Conversation fresh;
        fresh.files.add("file", 3000);
        fresh.ask("file", "octet windowsize=" + asked);
        EXPECT_THAT(fresh.answers(), ElementsAre(answer)) << asked;
    }
}

// §3: the server "MUST answer with … a value less than or equal to the client's".
TEST_F(Rfc7440, TheAnswerIsNeverLargerThanWhatWasAsked) {
    talk.files.add("file", 3000);
    talk.ask("file", "octet windowsize=8");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK windowsize=8"));
}

// §4: "the sender … sends a window of consecutive blocks and waits for the ACK of the last".
TEST_F(Rfc7440, AWindowLeavesAtOnceAndTheNextWaitsForItsAck) {
    begin(20, 4);
    EXPECT_THAT(
        talk.answers(), ElementsAre("DATA 1 512", "DATA 2 512", "DATA 3 512", "DATA 4 512")
    );
    EXPECT_EQ(talk.answers(), silence);
    talk.ack(4);
    EXPECT_THAT(
        talk.answers(), ElementsAre("DATA 5 512", "DATA 6 512", "DATA 7 512", "DATA 8 512")
    );
}

// §4: the last window may be shorter.
TEST_F(Rfc7440, TheLastWindowIsAsLongAsTheFile) {
    begin(5, 4);
    talk.answers();
    talk.ack(4);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 5 512", "DATA 6 10"));
    talk.ack(6);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::complete);
}

// §4: on a lost block the client acknowledges what came in order, and "the data sender … SHALL
// begin the next window with the block behind the acknowledged one".
TEST_F(Rfc7440, AnAckInsideTheWindowRestartsBehindIt) {
    begin(20, 4);
    talk.answers();
    talk.ack(2);
    EXPECT_THAT(
        talk.answers(), ElementsAre("DATA 3 512", "DATA 4 512", "DATA 5 512", "DATA 6 512")
    );
    talk.ack(6);
    talk.answers();
    for (unsigned block = 10; block < 21; block += 4) {
        talk.ack(block);
        talk.answers();
    }
    talk.ack(21);
    const auto events = talk.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].outcome, Outcome::complete);
    EXPECT_EQ(events[0].retransmissions, 2U);  // blocks 3 and 4
}

// §4: on a time-out "the sender retransmits the window".
TEST_F(Rfc7440, ALostWindowIsSentAgain) {
    begin(20, 3);
    talk.answers();
    EXPECT_THAT(
        talk.wait(1500ms), ElementsAre("1.00 DATA 1 512", "1.00 DATA 2 512", "1.00 DATA 3 512")
    );
}

TEST_F(Rfc7440, ALateAckOfAnEarlierWindowDoesNothing) {
    begin(20, 4);
    talk.answers();
    talk.ack(4);
    talk.answers();
    for (const unsigned late : {4U, 3U, 1U, 0U}) {
        talk.ack(late);
        EXPECT_EQ(talk.answers(), silence) << late;
    }
    talk.ack(8);
    EXPECT_EQ(talk.answers().at(0), "DATA 9 512");
}

TEST_F(Rfc7440, AnAckBeyondTheWindowDoesNothing) {
    begin(20, 4);
    talk.answers();
    talk.ack(5);
    EXPECT_EQ(talk.answers(), silence);
}

TEST_F(Rfc7440, WindowsCrossTheRolloverOfBlockNumbers) {
    for (const char* windowsize : {"2", "7", "64"}) {
        Conversation fresh;
        const std::size_t size = 8 * 131'080 + 5;
        fresh.files.add("large", size);
        EXPECT_EQ(
            fresh.load("large", std::string("octet blksize=8 windowsize=") + windowsize),
            file_bytes(size)
        );
    }
}

TEST_F(Rfc7440, ARestartInsideAWindowCrossesTheRollover) {
    const std::size_t size = 8 * 65'600;
    talk.files.add("large", size);
    talk.ask("large", "octet blksize=8 windowsize=4");
    talk.answers();
    talk.ack(0);
    for (unsigned block = 4; block <= 65'532; block += 4) {
        talk.answers();
        talk.ack(block);
    }
    EXPECT_THAT(
        talk.answers(), ElementsAre("DATA 65533 8", "DATA 65534 8", "DATA 65535 8", "DATA 0 8")
    );
    talk.ack(65'535);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 0 8", "DATA 1 8", "DATA 2 8", "DATA 3 8"));
    talk.ack(1);
    EXPECT_THAT(talk.answers(), ElementsAre("DATA 2 8", "DATA 3 8", "DATA 4 8", "DATA 5 8"));
}

}  // namespace
}  // namespace bramble::tftp
