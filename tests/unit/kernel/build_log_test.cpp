#include "provisioning/kernel/build_log.hpp"

#include <gtest/gtest.h>

namespace bramble::kernel {
namespace {

using std::chrono::seconds;

TEST(BuildProgressTest, WithoutAnEarlierBuildItSaysWhatIsDoneAndGuessesNothing) {
    BuildProgress progress(std::nullopt);
    EXPECT_EQ(progress.on_line("make: Entering directory '/x'", seconds(0)), std::nullopt);
    EXPECT_EQ(progress.on_line("  CALL    scripts/checksyscalls.sh", seconds(0)), std::nullopt);
    EXPECT_EQ(
        progress.on_line("  CC      init/main.o", seconds(1)), "1 file built in 1.0 s: init/main.o"
    );
    EXPECT_EQ(progress.on_line("  AS      a.o", seconds(5)), std::nullopt);
    EXPECT_EQ(
        progress.on_line("  CC [M]  drivers/net/dummy.o", seconds(6)),
        "3 files built in 6.0 s: drivers/net/dummy.o"
    );
    EXPECT_EQ(progress.steps(), 3U);
}

TEST(BuildProgressTest, AnEarlierBuildGivesAnEstimateThatTodaysPaceCorrects) {
    BuildProgress progress(PastBuild{100, seconds(1000)});
    EXPECT_EQ(progress.on_line("  CC      a.o", seconds(1)), "1 file built in 1.0 s: a.o");
    std::optional<std::string> last;
    for (int i = 2; i <= 50; ++i) last = progress.on_line("  CC      b.o", seconds(i * 20));
    // Half is done in 1000 s: at today's pace 1000 s are left, at the earlier one's 500.
    EXPECT_EQ(last, "50 of about 100 files built, about 12m 30s left: b.o");
    for (int i = 51; i <= 100; ++i) last = progress.on_line("  CC      c.o", seconds(i * 20));
    EXPECT_EQ(last, "100 files built in 33m 20s: c.o") << "more than there were: no estimate";
}

TEST(FailingLinesTest, BeginsShortlyBeforeWhatWentWrong) {
    EXPECT_EQ(
        failing_lines(
            "  CC      a.o\n  CC      b.o\n  CC      c.o\nc.c: In function 'f':\n"
            "c.c:3:1: error: expected ';'\n    3 | x\nmake[1]: *** [c.o] Error 1\n"
            "make: *** [sub-make] Error 2\n",
            5
        ),
        "  CC      c.o\nc.c: In function 'f':\nc.c:3:1: error: expected ';'\n    3 | x\n"
        "make[1]: *** [c.o] Error 1"
    );
    EXPECT_EQ(
        failing_lines("a\nmake: *** No rule to make target 'x'.  Stop.\n"),
        "a\nmake: *** No rule to make target 'x'.  Stop."
    );
}

TEST(FailingLinesTest, ALogThatDoesNotSayShowsItsEnd) {
    EXPECT_EQ(failing_lines("1\n2\n3\n4\n", 2), "3\n4");
    EXPECT_EQ(failing_lines(""), "");
}

}  // namespace
}  // namespace bramble::kernel
