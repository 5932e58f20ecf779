// Two generations held against each other, as people and scripts are told.
#include "provisioning/plan/comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "provisioning/plan/line_difference.hpp"

namespace bramble::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

layout::Manifest lab(std::uint64_t generation) {
    layout::Manifest manifest;
    manifest.generation = generation;
    manifest.trees["lab"]["start4.elf"] = layout::ObjectFile{Digest::of("firmware"), 2'000'000};
    manifest.trees["lab"]["kernel8.img"] = layout::ObjectFile{Digest::of("kernel"), 8'000'000};
    for (const char* name : {"pi-01", "pi-02", "pi-03"}) {
        layout::BoardEntry board;
        board.name = name;
        board.profile = "lab";
        board.tree = "lab";
        board.kernel_release = "6.1.0";
        board.files["config.txt"] = layout::TextFile{"arm_64bit=1\nenable_uart=1\n"};
        board.files["cmdline.txt"] = layout::TextFile{
            "console=tty1 nfsroot=172.16.1.1:/s/boards/" + board.name + "/root.aa,vers=3\n"};
        board.root =
            layout::Export{"/s/boards/" + board.name + "/root.aa", "172.16.1.1", "3", false};
        manifest.boards.push_back(board);
    }
    return manifest;
}

TEST(LineDifference, TellsLinesInTheirOrder) {
    EXPECT_THAT(line_difference("a\nb\nc\n", "a\nb\nc\n"), IsEmpty());
    EXPECT_THAT(line_difference("a\nb\nc\n", "a\nx\nc\nd\n"), ElementsAre("-b", "+x", "+d"));
    EXPECT_THAT(line_difference("", "a\n"), ElementsAre("+a"));
    EXPECT_THAT(line_difference("a\n\nb", ""), ElementsAre("-a", "-", "-b"));
    EXPECT_THAT(line_difference("q  a=1 b\n", "q a=2 b", ' '), ElementsAre("-a=1", "+a=2"));
}

TEST(LineDifference, IsBounded) {
    std::string many;
    for (std::size_t i = 0; i <= lines_max; ++i) many += "x\n";
    EXPECT_THAT(line_difference("a", many), ElementsAre("-1 lines", "+1001 lines"));
}

TEST(Comparison, OfTheSameSaysSo) {
    const Comparison found = compare(lab(3), lab(4));
    EXPECT_TRUE(found.same());
    EXPECT_EQ(found.boards_same, 3U);
    EXPECT_EQ(render(found), "generation 3 -> generation 4\nboards are served the same\n");
}

TEST(Comparison, OneBoardsTextIsItsLinesAlone) {
    layout::Manifest after = lab(4);
    after.boards[1].files["config.txt"] = layout::TextFile{"arm_64bit=1\nenable_uart=0\n"};
    after.boards[1].files["cmdline.txt"] = layout::TextFile{
        "console=tty1 console=ttyS0 nfsroot=172.16.1.1:/s/boards/pi-02/root.aa,vers=3\n"};
    EXPECT_EQ(
        render(compare(lab(3), after)),
        "generation 3 -> generation 4\n"
        "pi-02\n"
        "  cmdline.txt changed\n"
        "    + console=ttyS0\n"
        "  config.txt changed\n"
        "    - enable_uart=1\n"
        "    + enable_uart=0\n"
        "2 other boards are served the same\n"
    );
}

TEST(Comparison, BoardsThatChangedInTheSameWayAreToldOnce) {
    layout::Manifest after = lab(4);
    for (layout::BoardEntry& board : after.boards) {
        if (board.name == "pi-03") continue;
        board.root->path = "/s/boards/" + board.name + "/root.bb";
        board.kernel_release = "6.6.0";
    }
    EXPECT_EQ(
        render(compare(lab(3), after)),
        "generation 3 -> generation 4\n"
        "pi-01, pi-02\n"
        "  kernel release: 6.1.0 -> 6.6.0\n"
        "  root: 172.16.1.1:/s/boards/BOARD/root.aa vers=3 -> "
        "172.16.1.1:/s/boards/BOARD/root.bb vers=3\n"
        "1 other board is served the same\n"
    );
}

TEST(Comparison, ANameInsideAnotherWordIsNoBoard) {
    layout::Manifest before = lab(3);
    layout::Manifest after = lab(4);
    for (layout::Manifest* manifest : {&before, &after}) {
        manifest->boards[0].name = "tty";
        manifest->boards[1].name = "x";
    }
    for (layout::BoardEntry& board : after.boards) board.bootfile = "tty1-x.scr";
    EXPECT_THAT(render(compare(before, after)), HasSubstr("bootfile: none -> tty1-x.scr"));
}

TEST(Comparison, AProfilesFilesAreToldOnceWithItsBoards) {
    layout::Manifest after = lab(4);
    after.trees["lab"]["kernel8.img"] = layout::ObjectFile{Digest::of("other"), 9'000'000};
    after.trees["lab"].erase("start4.elf");
    after.trees["lab"]["overlays/x.dtbo"] = layout::ObjectFile{Digest::of("x"), 10};
    const Comparison found = compare(lab(3), after);
    EXPECT_EQ(found.boards_same, 0U);
    EXPECT_EQ(
        render(found),
        "generation 3 -> generation 4\n"
        "profile lab (pi-01, pi-02, pi-03)\n"
        "  kernel8.img changed: 8000000 bytes " +
            Digest::of("kernel").to_string().substr(0, 12) + " -> 9000000 bytes " +
            Digest::of("other").to_string().substr(0, 12) +
            "\n"
            "  overlays/x.dtbo added: 10 bytes " +
            Digest::of("x").to_string().substr(0, 12) +
            "\n"
            "  start4.elf removed: 2000000 bytes " +
            Digest::of("firmware").to_string().substr(0, 12) + "\n"
    );
}

TEST(Comparison, BoardsAndProfilesComeAndGo) {
    layout::Manifest after = lab(4);
    after.boards.erase(after.boards.begin());
    layout::BoardEntry fresh;
    fresh.name = "pi-09";
    fresh.tree = "desk";
    after.boards.push_back(fresh);
    after.trees["desk"] = {};
    const std::string text = render(compare(lab(3), after));
    EXPECT_THAT(text, HasSubstr("profile desk is new (pi-09)\n"));
    EXPECT_THAT(text, HasSubstr("new: pi-09\ngone: pi-01\n2 other boards are served the same\n"));
    EXPECT_THAT(text, Not(HasSubstr("pi-02")));
    EXPECT_THAT(render(compare(after, lab(5))), HasSubstr("profile desk is gone\n"));
}

TEST(Comparison, ScriptsGetEveryBoard) {
    layout::Manifest after = lab(4);
    for (layout::BoardEntry& board : after.boards)
        board.address = Ipv4Address::parse("10.0.0.1").value();
    const auto json = boost::json::parse(render_json(compare(lab(3), after))).as_object();
    EXPECT_EQ(json.at("before").to_number<int>(), 3);
    EXPECT_EQ(json.at("after").to_number<int>(), 4);
    EXPECT_EQ(json.at("same").as_bool(), false);
    ASSERT_EQ(json.at("boards").as_array().size(), 3U);
    const auto& field = json.at("boards").as_array()[2].at("fields").as_array()[0].as_object();
    EXPECT_EQ(field.at("what").as_string(), "address");
    EXPECT_EQ(field.at("before").as_string(), "none");
    EXPECT_EQ(field.at("after").as_string(), "10.0.0.1");
}

// Whatever fields a manifest gains, what plan::differences sees is not silent here.
TEST(Comparison, SeesEveryFieldOfABoard) {
    const auto changed = [](const std::function<void(layout::BoardEntry&)>& change) {
        layout::Manifest after = lab(4);
        change(after.boards[0]);
        return !compare(lab(3), after).same();
    };
    EXPECT_TRUE(changed([](auto& board) { board.serial = Serial::parse("00000001").value(); }));
    EXPECT_TRUE(changed([](auto& board) {
        board.mac = MacAddress::parse("02:00:00:00:00:01").value();
    }));
    EXPECT_TRUE(changed([](auto& board) { board.model = BoardModel::generic; }));
    EXPECT_TRUE(changed([](auto& board) { board.profile = "desk"; }));
    EXPECT_TRUE(changed([](auto& board) { board.tftp_prefixes = {"x/"}; }));
    EXPECT_TRUE(changed([](auto& board) { board.root.reset(); }));
    EXPECT_TRUE(changed([](auto& board) { board.root->read_only = true; }));
    EXPECT_TRUE(changed([](auto& board) { board.tree = "desk"; }));
}

}  // namespace
}  // namespace bramble::plan
