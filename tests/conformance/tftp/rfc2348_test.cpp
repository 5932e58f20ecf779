// RFC 2348, "TFTP Blocksize Option".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/tftp/conversation.hpp"

namespace bramble::tftp {
namespace {

using testing::ElementsAre;

Settings blocks_up_to(std::uint16_t blksize) {
    Settings settings;
    settings.options.blksize_max = blksize;
    return settings;
}

// "Valid values range between "8" and "65464" octets, inclusive."
TEST(Rfc2348, TheValidRange) {
    for (const auto& [asked, answer] : std::vector<std::pair<std::string, std::string>>{
             {"7", "DATA 1 512"},
             {"8", "OACK blksize=8"},
             {"512", "OACK blksize=512"},
             {"1468", "OACK blksize=1468"},
             {"65464", "OACK blksize=65464"},
             {"65465", "DATA 1 512"},
         }) {
        Conversation talk(blocks_up_to(65464));
        talk.files.add("file", 100'000);
        talk.ask("file", "octet blksize=" + asked);
        EXPECT_THAT(talk.answers(), ElementsAre(answer)) << asked;
    }
}

// "If the server is willing to accept the blocksize option, it sends an Option Acknowledgment
// (OACK) to the client. The specified value must be less than or equal to the value specified by
// the client."
TEST(Rfc2348, TheAnswerIsNeverLargerThanWhatWasAsked) {
    Conversation talk;
    talk.files.add("file", 100'000);
    talk.ask("file", "octet blksize=1024");
    EXPECT_THAT(talk.answers(), ElementsAre("OACK blksize=1024"));
    talk.peer.port = 40085;
    talk.ask("file", "octet blksize=8192");  // larger than the path carries without fragments
    EXPECT_THAT(talk.answers(), ElementsAre("OACK blksize=1468"));
}

// "The number of data octets in the block": the blocks have the size of the OACK, and "if the size
// of the data is less than the blocksize, it is the last".
TEST(Rfc2348, BlocksHaveTheSizeThatWasGranted) {
    for (const char* blksize : {"8", "9", "1024", "1468", "8192", "65464"}) {
        Conversation talk(blocks_up_to(65464));
        talk.files.add("file", 70'000);
        EXPECT_EQ(talk.load("file", std::string("octet blksize=") + blksize), file_bytes(70'000));
        EXPECT_EQ(talk.events().at(0).blksize, std::stoi(blksize));
    }
}

}  // namespace
}  // namespace bramble::tftp
