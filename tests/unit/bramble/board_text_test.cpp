#include "services/bramble/board_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace bramble::program {
namespace {

constexpr const char* boards = R"({"now":"2026-11-22T12:30:17Z","boards":[
    {"name":"pi-01","serial":"5b154510","mac":"dc:a6:32:2e:f8:ed","address":"172.16.1.3",
     "profile":"lab","model":"pi4","condition":"up",
     "boot":{"phase":"userspace","generation":3,"started":"2026-11-22T12:00:00Z",
             "ended":"2026-11-22T12:00:41Z"}},
    {"name":"pi-02","serial":null,"address":null,"profile":"lab","condition":"stuck",
     "boot":{"phase":"kernel","generation":4,"started":"2026-11-22T12:10:00Z"}},
    {"name":"pi-03","serial":null,"address":null,"profile":"lab","condition":"never-seen"}],
    "strangers":[{"mac":"dc:a6:32:00:00:09","serial":"00000009","kind":"pi4","requests":4,
                  "last_seen":"2026-11-22T12:30:00Z","reason":"not in the fleet file"}]})";

constexpr const char* board = R"({"name":"pi-02","condition":"stuck","serial":"5b154510",
    "mac":"dc:a6:32:2e:f8:ed","address":"172.16.1.3","profile":"lab","model":"pi4",
    "boot":{"state":"stuck","phase":"kernel","generation":4,"started":"2026-11-22T12:10:00Z",
      "seconds":20.0,"bytes":12000000,"partial":false,"diagnosis":"no DHCP from its kernel",
      "phases":[{"phase":"address","at":0.0,"seconds":0.5},
                {"phase":"firmware","at":0.5,"seconds":9.5},
                {"phase":"kernel","at":10.0,"seconds":10.0}],
      "files":[{"path":"start4.elf","outcome":"loaded","bytes":2303680,"at":0.5,"until":1.4,
                "seconds":0.9,"probes":1,"retransmissions":2},
               {"path":"overlays/vc4-kms-v3d-pi4.dtbo","outcome":"missing","bytes":0,"at":2.0,
                "until":2.0,"seconds":0,"probes":0,"retransmissions":0},
               {"path":"kernel8.img","outcome":"failed","bytes":10,"at":10.0,"until":20.0,
                "seconds":0,"probes":0,"retransmissions":9}],
      "files_dropped":3},
    "history":[{"state":"up","phase":"userspace","generation":3,"seconds":41.0,
                "started":"2026-11-22T12:00:00Z"}]})";

TEST(BoardText, TheFleetIsATableAndStrangersAreBelow) {
    const auto text = render_boards(boards);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(
        *text,
        "board  condition   phase   gen  since                 address     profile  serial\n"
        "pi-01  up          -       3    2026-11-22T12:00:41Z  172.16.1.3  lab      5b154510\n"
        "pi-02  stuck       kernel  4    2026-11-22T12:10:00Z  -           lab      -\n"
        "pi-03  never-seen  -       -    -                     -           lab      -\n"
        "\n"
        "stranger  mac                kind  asked  last                  why it is held\n"
        "00000009  dc:a6:32:00:00:09  pi4   4      2026-11-22T12:30:00Z  not in the fleet file\n"
    );
}

TEST(BoardText, AStoryHasItsWaterfallItsDiagnosisAndItsPast) {
    const auto text = render_board(board);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(
        *text,
        "pi-02  stuck\n"
        "serial 5b154510  mac dc:a6:32:2e:f8:ed  address 172.16.1.3  profile lab  pi4\n"
        "\n"
        "boot of 2026-11-22T12:10:00Z: stuck at kernel after 20.0 s, generation 4, 12.0 MB loaded\n"
        "-> no DHCP from its kernel\n"
        "\n"
        "phase                        at     took  0             20.0 s\n"
        "address                    0 ms   500 ms  #\n"
        "firmware                 500 ms    9.5 s   #########\n"
        "kernel                   10.0 s   10.0 s            ##########\n"
        "\n"
        "files    = loaded  ? probed  . missing  ! failed\n"
        "start4.elf               500 ms   900 ms   =                    2.3 MB, 1 probe, "
        "2 sent again\n"
        "...c4-kms-v3d-pi4.dtbo    2.0 s     0 ms    .                   missing\n"
        "kernel8.img              10.0 s   10.0 s            !!!!!!!!!!  failed, 9 sent again\n"
        "and 3 requests for further files\n"
        "\n"
        "earlier boots (`bramble logs pi-02 --boot N`)\n"
        "  1  2026-11-22T12:00:00Z  generation 3  up after 41.0 s\n"
    );
}

TEST(BoardText, ALogIsInTheOrderOfWhatHappened) {
    const auto text = render_boot_log(board);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(
        *text,
        "pi-02, boot of 2026-11-22T12:10:00Z, generation 4\n"
        "    0.000 s  address   begins\n"
        "    0.500 s  firmware  begins\n"
        "    1.400 s            start4.elf, 2.3 MB, 1 probe, 2 sent again in 900 ms\n"
        "    2.000 s            overlays/vc4-kms-v3d-pi4.dtbo, missing\n"
        "   10.000 s  kernel    begins\n"
        "   20.000 s            kernel8.img, failed, 9 sent again\n"
        "   20.000 s  stuck     no DHCP from its kernel\n"
    );
}

TEST(BoardText, ABoardThatNeverAskedSaysSo) {
    const auto text = render_board(R"({"name":"pi-03","condition":"never-seen"})");
    ASSERT_TRUE(text);
    EXPECT_NE(text->find("It has not asked for anything yet.\n"), std::string::npos) << *text;
}

// Another version's answer, or none at all, is an error and no crash.
TEST(BoardText, StrangeAnswersAreErrorsOrDashes) {
    for (const char* text : {"", "[]", "null", "{", R"("boot")"}) {
        EXPECT_FALSE(render_boards(text)) << text;
        EXPECT_FALSE(render_board(text)) << text;
        EXPECT_FALSE(render_boot_log(text)) << text;
    }
    EXPECT_FALSE(render_boot_log(R"({"name":"pi-01"})"));
    EXPECT_TRUE(render_board(
        R"({"boot":{"phases":7,"files":[1,{"at":"x","until":-1e300}],"seconds":1e300}})"
    ));
    EXPECT_TRUE(render_boot_log(R"({"boot":{"files":[{"bytes":-5,"seconds":-1}]}})"));
}

TEST(BoardText, ABoardThatNeverAskedHasItsHint) {
    EXPECT_TRUE(render_board(R"({"name":"pi-03","condition":"never-seen",
        "diagnosis":"is it powered?"})")
                    ->ends_with("It has not asked for anything yet.\n-> is it powered?\n"));
}

TEST(BoardText, KernelSilenceAndConsoleAreShown) {
    const auto text = render_board(R"({"name":"pi-01","condition":"silent","diagnosis":"it hangs",
        "boot":{"state":"up","phase":"userspace","generation":3,"seconds":41.0,"bytes":0,
                "started":"2026-11-22T12:00:00Z","kernel":"6.1.0-56-arm64"},
        "console_lines":12,"console_tail":["Linux","panic"]})");
    ASSERT_TRUE(text);
    EXPECT_NE(
        text->find("up after 41.0 s, generation 3, kernel 6.1.0-56-arm64, 0 B loaded\n-> it hangs\n"
        ),
        std::string::npos
    ) << *text;
    EXPECT_TRUE(text->ends_with(
        "\nconsole, the end of 12 lines (`bramble logs pi-01` has all)\n  Linux\n  panic\n"
    )) << *text;
}

TEST(BoardText, TheConsoleStandsAmongWhatHappened) {
    const auto text = render_boot_log(R"({"name":"pi-01","console":
        "   -2.500  Boot mode: NETWORK\n    1.200  Linux  6.1\n  nan  odd\n   90.000  later\n",
        "boot":{"state":"up","generation":3,"seconds":41.0,"started":"2026-11-22T12:00:00Z",
                "phases":[{"phase":"address","at":0.0,"seconds":0.5}]}})");
    ASSERT_TRUE(text);
    EXPECT_EQ(
        *text,
        "pi-01, boot of 2026-11-22T12:00:00Z, generation 3\n"
        "   -2.500 s  console   Boot mode: NETWORK\n"
        "    0.000 s  address   begins\n"
        "    0.000 s  console   odd\n"
        "    1.200 s  console   Linux  6.1\n"
        "   41.000 s  up\n"
        "   90.000 s  console   later\n"
    );
}

TEST(BoardText, OfABootThatFailedWhyIsReadLast) {
    const auto text = render_boot_log(R"({"name":"pi-01","console":"   90.000  panic\n",
        "boot":{"state":"stuck","generation":3,"seconds":41.0,"diagnosis":"no root",
                "started":"2026-11-22T12:00:00Z"}})");
    ASSERT_TRUE(text);
    EXPECT_TRUE(text->ends_with("console   panic\n   41.000 s  stuck     no root\n")) << *text;
}

}  // namespace
}  // namespace bramble::program
