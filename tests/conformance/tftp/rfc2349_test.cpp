// RFC 2349, "TFTP Timeout Interval and Transfer Size Options".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/tftp/conversation.hpp"

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Timeout: "Valid values range between "1" and "255" seconds, inclusive." "If the server is willing
// to accept the timeout option, it sends an Option Acknowledgment (OACK) to the client. The
// specified timeout value must match the value specified by the client."
TEST(Rfc2349Timeout, AnAcceptedTimeoutIsTheClientsOwn) {
    for (const char* seconds : {"1", "5", "30"}) {
        Conversation talk;
        talk.files.add("file", 3000);
        talk.ask("file", std::string("octet timeout=") + seconds);
        EXPECT_THAT(talk.answers(), ElementsAre(std::string("OACK timeout=") + seconds));
    }
}

TEST(Rfc2349Timeout, ValuesOutOfRangeAndVeryLongOnesAreNotAccepted) {
    for (const char* seconds : {"0", "256", "31", "255"}) {
        Conversation talk;
        talk.files.add("file", 3000);
        talk.ask("file", std::string("octet timeout=") + seconds);
        EXPECT_THAT(talk.answers(), ElementsAre("DATA 1 512")) << seconds;
    }
}

// "The number of seconds to wait before retransmitting": the interval of each wait.
TEST(Rfc2349Timeout, RetransmissionsKeepTheInterval) {
    Conversation talk;
    talk.files.add("file", 3000);
    talk.ask("file", "octet timeout=3");
    talk.answers();
    talk.ack(0);
    talk.answers();
    EXPECT_THAT(
        talk.wait(10s), ElementsAre("3.00 DATA 1 512", "6.00 DATA 1 512", "9.00 DATA 1 512")
    );
}

// Transfer size: "In Read Request packets, a size of "0" is specified in the request and the size
// of the file, in octets, is returned in the OACK."
TEST(Rfc2349Tsize, TheOackGivesTheTrueSize) {
    for (const std::size_t size : {0U, 1U, 16'040'912U}) {
        Conversation talk;
        talk.files.add("file", size);
        talk.ask("file", "octet tsize=0");
        EXPECT_THAT(talk.answers(), ElementsAre("OACK tsize=" + std::to_string(size)));
    }
}

// "If the file is too large for the client to handle, it may abort the transfer with an Error
// packet (error code 3)."
TEST(Rfc2349Tsize, AClientWithoutRoomAborts) {
    Conversation talk;
    talk.files.add("file", 100'000);
    talk.ask("file", "octet tsize=0");
    talk.answers();
    talk.error(3, "disk full");
    EXPECT_EQ(talk.wait(10s), silence);
    EXPECT_EQ(talk.events().at(0).outcome, Outcome::aborted);
}

}  // namespace
}  // namespace bramble::tftp
