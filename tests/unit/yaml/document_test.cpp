// YAML as such: what is not text, not YAML, twice, too deep, too much.
#include "config/yaml/document.hpp"

#include <gtest/gtest.h>

#include "tests/unit/yaml/memory_files.hpp"

namespace bramble::yaml {
namespace {

TEST(DocumentTest, WhatIsNotYamlIsShownWithItsPlace) {
    EXPECT_EQ(
        problems("version: 1\nboards: [\n"),
        "fleet.yaml:3:1: not YAML: end of sequence flow not found (look at the indentation and the "
        "quotes here)\n"
        "\n"
        "^ near here\n"
    );
    EXPECT_EQ(
        problems("version: 1\nappliance: address: x\n"),
        "fleet.yaml:2:19: not YAML: illegal map value (look at the indentation and the quotes "
        "here)\n"
        "appliance: address: x\n"
        "                  ^ near here\n"
    );
}

TEST(DocumentTest, AnEmptyFileSaysWhatToBeginWith) {
    const std::string expected =
        "fleet.yaml:1:1: there is nothing in this file (begin with `version: 1`)\n";
    EXPECT_EQ(problems(""), expected + "\n^ near here\n");
    EXPECT_EQ(problems("# nothing\n"), expected + "# nothing\n^ near here\n");
    EXPECT_EQ(problems("~"), expected + "~\n^ near here\n");
}

TEST(DocumentTest, OneFileIsOneDocument) {
    EXPECT_EQ(
        problems("version: 1\n---\nversion: 1\n"),
        "fleet.yaml:2:1: a second document begins here (one file, one document)\n"
        "---\n"
        "^ near here\n"
    );
}

TEST(DocumentTest, DuplicateKeysNameTheOtherPlace) {
    EXPECT_EQ(
        problems(
            good_fleet +
            "  - {name: a, address: 172.16.1.2, serial: 00000001, profile: lab, name: b}\n"
        ),
        "fleet.yaml:11:68: duplicate key 'name' (it stands at fleet.yaml:11:6 already: keep one of "
        "the two)\n"
        "  - {name: a, address: 172.16.1.2, serial: 00000001, profile: lab, name: b}\n"
        "                                                                   ^ near here\n"
    );
}

TEST(DocumentTest, AKeyIsPlainText) {
    EXPECT_EQ(
        problems("version: 1\n? [a, b]\n: 1\n"),
        "fleet.yaml:2:3: a key must be plain text (quote it where it begins with [ or {)\n"
        "? [a, b]\n"
        "  ^ near here\n"
    );
}

TEST(DocumentTest, BytesThatAreNoTextAreNamed) {
    EXPECT_EQ(
        problems("version: 1\nboards: [\xff]\n"),
        "fleet.yaml:2:10: byte 0xff is not UTF-8 (save the file as UTF-8)\n"
        "boards: [\xff]\n"
        "         ^ near here\n"
    );
    for (const char* bad :
         {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xf8"}) {
        EXPECT_NE(problems(std::string("a: ") + bad).find("is not UTF-8"), std::string::npos);
    }
    EXPECT_EQ(
        problems(std::string("a: \0", 4)),
        std::string(
            "fleet.yaml:1:4: control character 0x00 (take it out)\na: \0\n   ^ near here\n", 73
        )
    );
    EXPECT_NE(problems("a: \x04").find("control character 0x04"), std::string::npos);
}

TEST(DocumentTest, CaretsStandBelowTheirCharacter) {
    // Two characters of several bytes, and a tab, before the place.
    EXPECT_EQ(
        problems(
            good_fleet +
            "  - {name: \xc3\xa9\xe2\x82\xac,\tserial: 1, profile: lab, address: 172.16.1.2}\n"
        ),
        "fleet.yaml:11:12: '\xc3\xa9\xe2\x82\xac' is not a host name (letters, digits and '-', up "
        "to 63, "
        "like pi-01)\n"
        "  - {name: \xc3\xa9\xe2\x82\xac,\tserial: 1, profile: lab, address: 172.16.1.2}\n"
        "           ^ near here\n"
        "fleet.yaml:11:27: '1' is not a serial number (eight hex digits, like 5b154510)\n"
        "  - {name: \xc3\xa9\xe2\x82\xac,\tserial: 1, profile: lab, address: 172.16.1.2}\n"
        "              \t        ^ near here\n"
    );
}

TEST(DocumentTest, AByteOrderMarkAndCarriageReturnsSayNothing) {
    std::string text = "\xef\xbb\xbf" + good_fleet;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
        text.replace(at, 1, "\r\n");
    EXPECT_EQ(problems(text), "");
    EXPECT_EQ(
        problems("version: 2\r\nappliance: 1\r\n"),
        "fleet.yaml:1:10: '2' is not a version of this file that this program reads (write "
        "version: 1)\n"
        "version: 2\n"
        "         ^ near here\n"
        "fleet.yaml:2:12: a mapping belongs here, this is a single value (write key: value)\n"
        "appliance: 1\n"
        "           ^ near here\n"
    );
}

TEST(DocumentTest, NestingIsBounded) {
    std::string text;
    for (std::size_t i = 0; i <= Budget::depth_max; ++i) text += std::string(i, ' ') + "-\n";
    EXPECT_EQ(
        problems(text),
        "fleet.yaml:25:25: this is nested deeper than 24 levels (no key of a fleet file needs "
        "that)\n" +
            std::string(24, ' ') + "-\n" + std::string(24, ' ') + "^ near here\n"
    );
    EXPECT_NE(problems(std::string(100'000, '[')).find("nested deeper"), std::string::npos);
    EXPECT_NE(problems(std::string(100'000, '{')).find("nested deeper"), std::string::npos);
}

// Attack class A1: nine levels of aliases, nine each, would be a billion values.
TEST(DocumentTest, AliasBombsAreRefusedBeforeTheyGoOff) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string level = std::to_string(i);
        const std::string before = "*a" + std::to_string(i - 1);
        bomb += "a" + level + ": &a" + level + " [" + before;
        for (int j = 0; j < 8; ++j) bomb += ", " + before;
        bomb += "]\n";
    }
    const std::string message = problems(bomb);
    EXPECT_NE(message.find("more than 400000 values"), std::string::npos) << message;
    EXPECT_EQ(message.find("fleet.yaml:6:"), 0U) << message;
}

TEST(DocumentTest, AliasesOfLongTextsAreCountedByTheirBytes) {
    std::string bomb = "a: &a " + std::string(1'000'000, 'x') + "\nb: [*a";
    for (int i = 0; i < 20; ++i) bomb += ", *a";
    EXPECT_NE(problems(bomb + "]\n").find("or 8 MiB of text"), std::string::npos);
}

TEST(DocumentTest, AnAliasInsideOfItselfIsRefused) {
    EXPECT_EQ(
        problems("version: &v [*v]\n"),
        "fleet.yaml:1:14: this alias stands inside of what it repeats (write it out)\n"
        "version: &v [*v]\n"
        "             ^ near here\n"
    );
}

TEST(DocumentTest, AliasesWork) {
    const auto result = load_text(
        good_fleet +
        "  - {name: a, mac: \"dc:a6:32:00:00:01\", profile: lab, address: 172.16.1.2, cmdline: &c "
        "[quiet]}\n"
        "  - {name: b, mac: \"dc:a6:32:00:00:02\", profile: lab, address: 172.16.1.3, cmdline: "
        "*c}\n"
    );
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    EXPECT_EQ(result.fleet->boards[1].cmdline, std::vector<std::string>{"quiet"});
}

TEST(DocumentTest, LongLinesAreCutAroundThePlace) {
    const std::string blanks(200, ' ');
    EXPECT_EQ(
        problems(good_fleet + "#\nimage: {" + blanks + "board: 1," + blanks + "}"),
        "fleet.yaml:12:1: unknown key 'image' in a fleet file (did you mean 'images'?)\n"
        "image: {" +
            std::string(92, ' ') + "...\n^ near here\n"
    );
}

TEST(DocumentTest, LongLinesAreCutOnBothSides) {
    const std::string blanks(200, ' ');
    EXPECT_EQ(
        problems("version:" + blanks + "2" + blanks + "\n" + good_fleet.substr(11)),
        "fleet.yaml:1:209: '2' is not a version of this file that this program reads (write "
        "version: 1)\n"
        "..." +
            std::string(60, ' ') + "2" + std::string(39, ' ') + "...\n" + std::string(63, ' ') +
            "^ near here\n"
    );
}

TEST(DocumentTest, ThereIsAnEndToProblems) {
    std::string text = "version: 1\nimages:\n";
    for (int i = 0; i < 2000; ++i) text += "  i" + std::to_string(i) + ": 1\n";
    const auto result = load_text(text);
    ASSERT_EQ(result.diagnostics.size(), Diagnostics::diagnostics_max + 1);
    EXPECT_EQ(
        render(result.diagnostics.back()),
        "fleet.yaml: there are more than these 500 problems (mend these first, then check again)\n"
    );
}

}  // namespace
}  // namespace bramble::yaml
