#include "services/bramble/status_text.hpp"

#include <gtest/gtest.h>

namespace bramble::program {
namespace {

constexpr const char* server = R"({"version":"1.0","interface":"eth1","address":"172.16.1.1/24",
    "generation":4,"leases":2,"open_transfers":1,"reload_error":"","boards":{"total":2,"up":1}})";
constexpr const char* boards = R"({"boards":[
    {"name":"pi-01","address":"172.16.1.3","condition":"up","boot":{"phase":"root","generation":3}},
    {"name":"pi-02","address":null,"condition":"stuck",
     "boot":{"phase":"kernel","generation":4,"diagnosis":"no DHCP from its kernel"}},
    {"name":"pi-03","address":null,"condition":"never-seen"}],
    "strangers":[{"mac":"dc:a6:32:00:00:09","serial":"00000009","kind":"pi4",
                  "reason":"unknown-board"}]})";

TEST(StatusText, ShowsEveryBoardAndWhatItWaitsFor) {
    const auto text = render_status(server, boards);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(
        *text,
        "bramble 1.0 on eth1 (172.16.1.1/24), generation 4, 2 leases, 1 transfers\n"
        "\n"
        "board  address     condition   phase   generation  what for\n"
        "pi-01  172.16.1.3  up          up      3\n"
        "pi-02  -           stuck       kernel  4           no DHCP from its kernel\n"
        "pi-03  -           never-seen  -       -\n"
        "\n"
        "asked without being in the fleet:\n"
        "  dc:a6:32:00:00:09 serial=00000009 pi4: unknown-board\n"
    );
}

TEST(StatusText, ShowsTheQueueAndWhereABoardStandsInIt) {
    const auto text = render_status(
        R"({"generation":4,"admission":{"enabled":true,"inside":3,"capacity":4,"waiting":13}})",
        R"({"boards":[{"name":"pi-09","condition":"waiting","boot":{"phase":"address",
            "generation":4,"waiting_for":"number 9 in the queue"},
            "queue":{"position":2,"expected_in_seconds":7.2}}]})"
    );
    ASSERT_TRUE(text);
    EXPECT_NE(text->find("\nadmission: 3 of 4 places taken, 13 boards wait\n"), std::string::npos)
        << *text;
    EXPECT_NE(text->find("number 2 in the queue, its turn comes in about 8 s\n"), std::string::npos)
        << *text;
    const auto off = render_status(R"({"generation":4,"admission":{"enabled":false}})", "{}");
    EXPECT_NE(off->find("admission is off: all boards boot at once\n"), std::string::npos);
}

TEST(StatusText, AFailedReloadCannotBeOverlooked) {
    const auto text = render_status(
        R"({"generation":4,"reload_error":"fleet.yaml has 1 problem:\nfleet.yaml:1:1: no"})", "{}"
    );
    ASSERT_TRUE(text);
    EXPECT_NE(
        text->find("THE LAST RELOAD FAILED, everything is served as before:\n"
                   "fleet.yaml has 1 problem:\nfleet.yaml:1:1: no\n"),
        std::string::npos
    ) << *text;
}

TEST(StatusText, AnotherDhcpServerCannotBeOverlooked) {
    const auto text = render_status(
        R"({"generation":4,"foreign_servers":[{"address":"172.16.1.254","mac":"02:00:00:00:00:fe"},
            {"address":"172.16.1.253","mac":null}]})",
        "{}"
    );
    ASSERT_TRUE(text);
    EXPECT_NE(
        text->find("ANOTHER DHCP SERVER ANSWERS ON THIS WIRE, 172.16.1.254 (MAC 02:00:00:00:00:fe)"
                   ": boards may take its offers; switch it off, or set dhcp: {mode: proxy}\n"),
        std::string::npos
    ) << *text;
    EXPECT_NE(text->find("ON THIS WIRE, 172.16.1.253: boards"), std::string::npos);
}

TEST(StatusText, SaysWhatToDoWhenNothingIsPublished) {
    const auto text = render_status(R"({"generation":0})", R"({"boards":[]})");
    ASSERT_TRUE(text);
    EXPECT_NE(text->find("run `sudo bramble apply`"), std::string::npos);
}

TEST(StatusText, MergesBothAnswersForScripts) {
    const auto merged = merge_status(server, boards);
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_NE(merged->find(R"("counts":{"total":2,"up":1})"), std::string::npos) << *merged;
    EXPECT_NE(merged->find(R"("phase":"up")"), std::string::npos) << *merged;
    EXPECT_NE(merged->find(R"("strangers":[{)"), std::string::npos) << *merged;
}

TEST(StatusText, RefusesWhatIsNotTheApis) {
    for (const char* text : {"", "[]", "{", "<html>"}) {
        EXPECT_FALSE(render_status(text, "{}")) << text;
        EXPECT_FALSE(render_status("{}", text)) << text;
        EXPECT_FALSE(merge_status(text, "{}")) << text;
    }
}

TEST(FitScreen, CutsLongLinesAndCountsWhatIsBelow) {
    EXPECT_EQ(fit_screen("abcdef\ngh\n", 24, 4), "abcd\ngh\n");
    EXPECT_EQ(fit_screen("1\n2\n3", 4, 80), "1\n2\n3\n");
    EXPECT_EQ(
        fit_screen("1\n2\n3\n4\n", 4, 80), "1\n2\n... and 2 lines more, for a larger window\n"
    );
    EXPECT_EQ(fit_screen("1\n2\n3\n", 0, 80), "1\n... and 2 lines more, for a larger window\n");
}

}  // namespace
}  // namespace bramble::program
