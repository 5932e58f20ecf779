#include "services/rehearsal/report.hpp"

#include <gtest/gtest.h>

namespace bramble::rehearsal {
namespace {

Report report_of(std::string board) {
    Report report;
    report.board = std::move(board);
    report.firmware = "pi4-2023";
    report.generation = 7;
    return report;
}

TEST(ReportTest, TheFirstFindingIsTheEarliestThatStops) {
    Report report = report_of("pi-01");
    EXPECT_EQ(report.first(), nullptr);
    report.doubt(Phase::config, "a doubt", "x");
    EXPECT_EQ(report.first()->sentence, "a doubt");
    EXPECT_TRUE(report.boots());
    report.stop(Phase::root, "late", "x");
    report.stop(Phase::kernel, "early", "x");
    report.stop(Phase::kernel, "early, but said later", "x");
    EXPECT_EQ(report.first()->sentence, "early");
    EXPECT_FALSE(report.boots());
}

TEST(ReportTest, TheFirstFindingStandsOnTop) {
    Report report = report_of("pi-01");
    report.tell(Phase::address, "172.16.1.3");
    report.tell(Phase::kernel, "kernel8.img");
    report.tell(Phase::kernel, "initramfs8");
    report.doubt(Phase::config, "a doubt", "its remedy");
    report.stop(Phase::root, "no init", "add one");
    EXPECT_EQ(
        render(report),
        "pi-01  generation 7  firmware pi4-2023  would NOT boot\n"
        "STOPS  root: no init\n"
        "    add one\n"
        "  address    172.16.1.3\n"
        "  kernel     kernel8.img\n"
        "             initramfs8\n"
        "doubt  config: a doubt\n"
        "    its remedy\n"
    );
}

TEST(ReportTest, ManyBoardsShareASentence) {
    std::vector<Report> reports;
    for (int i = 1; i <= 7; ++i) {
        reports.push_back(report_of("pi-0" + std::to_string(i)));
        if (i == 2) reports.back().doubt(Phase::address, "odd", "look");
        if (i != 3) reports.back().stop(Phase::root, "no init", "add one");
    }
    EXPECT_EQ(
        render_all(reports),
        "STOPS  root: no init\n"
        "    add one\n"
        "    6 boards: pi-01, pi-02, pi-04, pi-05, pi-06 and 1 more\n"
        "doubt  address: odd\n"
        "    look\n"
        "    1 board: pi-02\n"
        "1 of 7 boards would boot\n"
    );
}

TEST(ReportTest, APathWithTheBoardsOwnNameMakesNoSentenceOfItsOwn) {
    std::vector<Report> reports{report_of("pi-01"), report_of("pi-02")};
    for (Report& report : reports) {
        report.stop(Phase::root, "/srv/" + report.board + " is gone", "apply");
    }
    EXPECT_EQ(
        render_all(reports),
        "STOPS  root: /srv/pi-01 is gone\n"
        "    apply\n"
        "    2 boards: pi-01, pi-02\n"
        "0 of 2 boards would boot\n"
    );
}

TEST(ReportTest, JsonHasVerdictAndStory) {
    std::vector<Report> reports{report_of("pi-01")};
    reports[0].tell(Phase::address, "here");
    EXPECT_EQ(
        render_json(reports),
        R"({"generation":7,"boards":1,"would_boot":1,"reports":[{"board":"pi-01","firmware":)"
        R"("pi4-2023","boots":true,"first":null,"findings":[],"story":[{"phase":"address",)"
        R"("text":"here"}]}]})"
    );
}

}  // namespace
}  // namespace bramble::rehearsal
