// A board's console: lines from datagrams, whatever they hold, within bounds.
#include "services/boards/console.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bramble::boards {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct ConsoleTest : testing::Test {
    void say(std::string_view bytes, double seconds = 0, bool loader = false) {
        console.add(
            bytes,
            loader,
            began + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds))
        );
    }

    std::vector<std::string> lines() {
        std::vector<std::string> out;
        for (const ConsoleLine& line : console.lines()) out.push_back(line.text);
        return out;
    }

    Console console;
    TimePoint began{1000h};
};

TEST_F(ConsoleTest, LinesComeInPiecesAndSeveralAtOnce) {
    say("[    0.000000] Booting"), say(" Linux\n[    0.1] two\nthr"), say("ee\r\n\n");
    EXPECT_THAT(lines(), ElementsAre("[    0.000000] Booting Linux", "[    0.1] two", "three"));
}

TEST_F(ConsoleTest, ALineThatNobodyEndedIsOverAfterAWhile) {
    say("one"), say("two\n", 3);
    EXPECT_THAT(lines(), ElementsAre("one", "two"));
}

TEST_F(ConsoleTest, LoaderAndKernelDoNotShareALine) {
    say("Stopping network", 0, true), say("[ 0.0] Linux\n", 0.5, false);
    EXPECT_THAT(lines(), ElementsAre("Stopping network", "[ 0.0] Linux"));
}

TEST_F(ConsoleTest, BytesThatAreNoTextAreShownAsNumbers) {
    say(std::string_view("a\0b\x01\xff\x7f\tc\n", 9));
    EXPECT_THAT(lines(), ElementsAre("ab\\x01\\xff\\x7f c"));
}

TEST_F(ConsoleTest, ColoursAreLeftOutAlsoWhereTheyAreCutInTwo) {
    say("\x1b[32m[  OK  ]\x1b"), say("[0m Started\x1b[1;3"), say("1mX\n");
    EXPECT_THAT(lines(), ElementsAre("[  OK  ] StartedX"));
}

TEST_F(ConsoleTest, TheExtendedFormIsRead) {
    say("6,416,1758426,-;raid6: using\n SUBSYSTEM=net\n DEVICE=+net:eth0\n");
    say("6,417,1758427,-,caller=T1;hello\n");
    say("4,5 6;no header\n");
    EXPECT_THAT(lines(), ElementsAre("raid6: using", "hello", "4,5 6;no header"));
}

TEST_F(ConsoleTest, IsBoundedInLinesAndBytes) {
    for (int i = 0; i < 3000; ++i) say("x\n");
    EXPECT_EQ(console.lines().size(), Console::lines_max);
    EXPECT_EQ(console.dropped(), 2000U);
    for (int i = 0; i < 300; ++i) say(std::string(1000, 'y') + "\n");
    std::size_t bytes = 0;
    for (const ConsoleLine& line : console.lines()) bytes += line.text.size();
    EXPECT_LE(bytes, Console::bytes_max);
    EXPECT_GT(bytes, Console::bytes_max - 2000);
}

TEST_F(ConsoleTest, ALineWithoutAnEndIsCut) {
    for (int i = 0; i < 10; ++i) say(std::string(300, 'z'));
    for (const ConsoleLine& line : console.lines()) {
        EXPECT_LE(line.text.size(), Console::line_bytes_max);
    }
    EXPECT_EQ(console.lines().size(), 3U);
}

TEST_F(ConsoleTest, ThePanicTellsMoreThanWhatFollows) {
    EXPECT_EQ(console.telling_line(), "");
    say("one\n"), say("two\n");
    EXPECT_EQ(console.telling_line(), "two");
    say("Kernel panic - not syncing: No working init found.\n"), say("CPU: 0 PID: 1\n");
    EXPECT_EQ(console.telling_line(), "Kernel panic - not syncing: No working init found.");
}

TEST_F(ConsoleTest, AsText) {
    say("Boot mode: NETWORK\n", -2.5, true), say("Linux\n", 12.0421);
    EXPECT_EQ(console.text(began), "   -2.500  Boot mode: NETWORK\n   12.042  Linux\n");
}

}  // namespace
}  // namespace bramble::boards
