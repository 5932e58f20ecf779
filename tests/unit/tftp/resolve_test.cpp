// From a requested path to a board's own file: the forms that boards use, and every refusal.
#include "services/tftp/resolve.hpp"

#include <gtest/gtest.h>

namespace bramble::tftp {
namespace {

using layout::BoardEntry;
using layout::TextFile;

layout::Manifest two_boards() {
    layout::Manifest manifest;
    manifest.trees["lab"] = {
        {"start4.elf", TextFile{"shared start"}},
        {"config.txt", TextFile{"shared config"}},
        {"overlays/overlay_map.dtb", TextFile{"map"}},
        {"..data", TextFile{"two dots in front are a name"}}};
    BoardEntry one;
    one.name = "pi-01";
    one.serial = Serial(0x5b154510);
    one.mac = *MacAddress::parse("dc:a6:32:2e:f8:ed");
    one.tree = "lab";
    one.files = {{"cmdline.txt", TextFile{"one's own"}}, {"secret", TextFile{"of one"}}};
    one.tftp_prefixes = {"5b154510/", "lab/row-a/"};
    BoardEntry two;
    two.name = "pi-02";
    two.serial = Serial(0x91cdf03d);
    two.mac = *MacAddress::parse("e4:5f:01:09:02:f7");
    two.tree = "lab";
    two.files = {{"cmdline.txt", TextFile{"two's own"}}};
    two.tftp_prefixes = {"91cdf03d/", "shared/"};
    BoardEntry three;
    three.name = "pi-03";
    three.tree = "lab";
    three.tftp_prefixes = {"shared/"};
    manifest.boards = {one, two, three};
    return manifest;
}

struct ResolveTest : testing::Test {
    layout::Manifest manifest = two_boards();
    PathIndex index{manifest};
    const BoardEntry* one = &manifest.boards[0];
    const BoardEntry* two = &manifest.boards[1];
    const BoardEntry* three = &manifest.boards[2];

    // "pi-01 cmdline.txt=one's own", "pi-01 absent NAME", "pi-01 denied: REASON"
    std::string ask(
        const BoardEntry* board, std::string_view path, TrustPrefix trust = TrustPrefix::no
    ) {
        const Lookup lookup = index.resolve(board, path, trust);
        const auto name = [](const BoardEntry* entry) { return entry ? entry->name : "?"; };
        if (const auto* found = std::get_if<Found>(&lookup)) {
            return name(found->board) + " " + found->path + "=" +
                   std::get<TextFile>(*found->file).text;
        }
        if (const auto* absent = std::get_if<Absent>(&lookup)) {
            return name(absent->board) + " absent " + absent->path;
        }
        const auto& denied = std::get<Denied>(lookup);
        return name(denied.board) + " denied: " + denied.reason;
    }
};

TEST_F(ResolveTest, ThePrefixOfSerialMacOrStringIsTakenOff) {
    for (const char* path :
         {"5b154510/cmdline.txt", "dc-a6-32-2e-f8-ed/cmdline.txt", "lab/row-a/cmdline.txt"}) {
        EXPECT_EQ(ask(one, path), "pi-01 cmdline.txt=one's own") << path;
    }
    EXPECT_EQ(ask(one, "5b154510/start4.elf"), "pi-01 start4.elf=shared start");
}

// 2.4: a board that found no start file under its prefix asks without one; generic clients always
// do.
TEST_F(ResolveTest, WithoutAPrefixABoardGetsItsOwnTree) {
    EXPECT_EQ(ask(one, "cmdline.txt"), "pi-01 cmdline.txt=one's own");
    EXPECT_EQ(ask(two, "cmdline.txt"), "pi-02 cmdline.txt=two's own");
    EXPECT_EQ(ask(two, "secret"), "pi-02 absent secret");
}

// 2.4: "If either exists, every later file is looked up only under P (no per-file fallback)."
TEST_F(ResolveTest, UnderAPrefixNothingFallsBack) {
    EXPECT_EQ(ask(one, "5b154510/recovery.elf"), "pi-01 absent recovery.elf");
    EXPECT_EQ(ask(one, "5b154510/5b154510/config.txt"), "pi-01 absent 5b154510/config.txt");
}

// 2.3: Pi 5 asks for "7bf18f79//config.txt"; GRUB and others begin with a slash.
TEST_F(ResolveTest, SlashesAreCollapsedAndALeadingOneIsTolerated) {
    EXPECT_EQ(ask(one, "5b154510//config.txt"), "pi-01 config.txt=shared config");
    EXPECT_EQ(ask(one, "/config.txt"), "pi-01 config.txt=shared config");
    EXPECT_EQ(
        ask(one, "//5b154510///overlays//overlay_map.dtb"), "pi-01 overlays/overlay_map.dtb=map"
    );
}

TEST_F(ResolveTest, AnotherBoardsPrefixIsDeniedWhateverStandsBehindIt) {
    for (const char* path :
         {"91cdf03d/cmdline.txt",
          "91cdf03d/start4.elf",
          "91cdf03d/nothing",
          "e4-5f-01-09-02-f7/cmdline.txt",
          "/91cdf03d//cmdline.txt",
          "shared/config.txt"}) {
        EXPECT_EQ(ask(one, path), "pi-01 denied: the prefix of another board, pi-02") << path;
    }
}

// 10.3: two boards with one TFTP_PREFIX_STR: the address says which of them asks.
TEST_F(ResolveTest, ASharedStringPrefixServesEachBoardItsOwnTree) {
    EXPECT_EQ(ask(two, "shared/cmdline.txt"), "pi-02 cmdline.txt=two's own");
    EXPECT_EQ(ask(three, "shared/cmdline.txt"), "pi-03 absent cmdline.txt");
}

TEST_F(ResolveTest, AnUnknownAddressGetsNothing) {
    const std::string denied = "? denied: no board of this fleet has the source address";
    EXPECT_EQ(ask(nullptr, "5b154510/cmdline.txt"), denied);
    EXPECT_EQ(ask(nullptr, "start4.elf"), denied);
}

TEST_F(ResolveTest, WhereOthersLeaseAddressesThePrefixSaysWhoAsks) {
    EXPECT_EQ(
        ask(nullptr, "5b154510/cmdline.txt", TrustPrefix::yes), "pi-01 cmdline.txt=one's own"
    );
    EXPECT_EQ(
        ask(nullptr, "e4-5f-01-09-02-f7/cmdline.txt", TrustPrefix::yes),
        "pi-02 cmdline.txt=two's own"
    );
    EXPECT_EQ(
        ask(nullptr, "start4.elf", TrustPrefix::yes),
        "? denied: neither source address nor prefix names a board"
    );
    EXPECT_EQ(
        ask(nullptr, "shared/cmdline.txt", TrustPrefix::yes),
        "? denied: several boards share this prefix"
    );
    EXPECT_EQ(
        ask(one, "91cdf03d/cmdline.txt", TrustPrefix::yes),
        "pi-01 denied: the prefix of another board, pi-02"
    );
}

// T9: every way out of a tree that the field has seen.
TEST_F(ResolveTest, TraversalIsRefused) {
    using namespace std::string_literals;
    for (const std::string& path :
         {"../secret"s,
          ".."s,
          "."s,
          "./config.txt"s,
          "5b154510/../91cdf03d/cmdline.txt"s,
          "overlays/../../5b154510/secret"s,
          "/../../etc/passwd"s,
          "..\\secret"s,
          "overlays\\overlay_map.dtb"s,
          "\\\\server\\share"s,
          "%2e%2e/secret"s,
          "%2E%2E%2Fsecret"s,
          "config.txt%00"s,
          "config.txt\0.jpg"s,
          "config.txt\n"s,
          "\x7f"s,
          "overlays/.."s,
          "overlays/."s,
          ""s,
          "/"s,
          "///"s}) {
        const std::string answer = ask(two, path);
        EXPECT_EQ(answer.rfind("pi-02 denied: the path ", 0), 0U)
            << testing::PrintToString(path) << ": " << answer;
    }
}

TEST_F(ResolveTest, WhatOnlyLooksLikeAWayOutIsANameThatIsNotThere) {
    for (const char* path :
         {"....//secret",
          "...",
          "/etc/passwd",
          "CONFIG.TXT",
          "5B154510/config.txt",  // names are told apart by case
          "5b154510",
          "5b154510/",
          "5b154510-x/secret",
          "overlays",
          "overlays/",
          "config.txt/",
          "5b15451/config.txt"}) {
        const std::string answer = ask(two, path);
        const bool nothing =
            answer.rfind("pi-02 absent ", 0) == 0 || answer.rfind("pi-02 denied: ", 0) == 0;
        EXPECT_TRUE(nothing) << path << ": " << answer;
    }
    EXPECT_EQ(ask(one, "..data"), "pi-01 ..data=two dots in front are a name");
}

TEST_F(ResolveTest, APathBeyond255OctetsIsRefused) {
    EXPECT_EQ(ask(one, std::string(255, 'a')), "pi-01 absent " + std::string(255, 'a'));
    EXPECT_EQ(ask(one, std::string(256, 'a')), "pi-01 denied: the path is longer than 255 octets");
}

TEST_F(ResolveTest, ADeniedPathIsShownPrintable) {
    const Lookup lookup = index.resolve(one, "a\nb\x1b[2J", TrustPrefix::no);
    EXPECT_EQ(std::get<Denied>(lookup).path, "a?b?[2J");
}

}  // namespace
}  // namespace bramble::tftp
