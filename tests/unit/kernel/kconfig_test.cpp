#include "provisioning/kernel/kconfig.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bramble::kernel {
namespace {

TEST(ExpressionTest, IsWorthItsWeakestPart) {
    const Options options = {
        {"Y", "y"}, {"M", "m"}, {"N", "n"}, {"NUMBER", "64"}, {"T", "\"a b\""}};
    const auto value = [&](const char* text) { return evaluate(text, options); };
    EXPECT_EQ(value("Y"), Tristate::yes);
    EXPECT_EQ(value("M"), Tristate::module);
    EXPECT_EQ(value("ABSENT"), Tristate::no);
    EXPECT_EQ(value("Y && M"), Tristate::module);
    EXPECT_EQ(value("N || M"), Tristate::module);
    EXPECT_EQ(value("!M"), Tristate::module);
    EXPECT_EQ(value("!(N || !Y)"), Tristate::yes);
    EXPECT_EQ(value("Y && N || Y"), Tristate::yes);
    EXPECT_EQ(value("Y=y && M!=n && NUMBER = 64"), Tristate::yes);
    EXPECT_EQ(value("T=\"a b\""), Tristate::yes);
    EXPECT_EQ(value("ABSENT=n"), Tristate::yes);
    EXPECT_EQ(value("m && Y"), Tristate::module);
}

TEST(ExpressionTest, WhatCannotBeToldIsNeitherYesNorNo) {
    const Options options = {{"Y", "y"}, {"N", "n"}};
    EXPECT_EQ(evaluate("$(cc-option,-fpatch(able))", options), std::nullopt);
    EXPECT_EQ(evaluate("$(cc-option,-a) || Y", options), Tristate::yes);
    EXPECT_EQ(evaluate("$(cc-option,-a) && N", options), Tristate::no);
    EXPECT_EQ(evaluate("CLANG_VERSION >= 130000", options), std::nullopt);
    for (const char* bad : {"", "(", "Y &&", "Y Y", "&& Y", "(Y", "Y)", "=", "Y = "}) {
        EXPECT_EQ(evaluate(bad, options), std::nullopt) << bad;
    }
    EXPECT_EQ(evaluate(std::string(100'000, '(') + "Y", options), std::nullopt);
}

TEST(ExpressionTest, NamesThePartsThatSayNo) {
    const Options options = {{"Y", "y"}, {"M", "m"}};
    EXPECT_THAT(
        unmet_parts("Y && A && (B || C) && (Y && !Y)", options, Tristate::yes),
        testing::ElementsAre("A", "B || C", "!Y")
    );
    EXPECT_THAT(unmet_parts("A || B", options, Tristate::yes), testing::ElementsAre("A || B"));
    EXPECT_THAT(unmet_parts("M", options, Tristate::yes), testing::ElementsAre("M"));
    EXPECT_THAT(unmet_parts("M && $(x)", options, Tristate::module), testing::IsEmpty());
    EXPECT_THAT(symbols_in("A && (B=y || !A) && $(c) && \"D\""), testing::ElementsAre("A", "B"));
}

// A tree of sources in memory.
class KconfigTest : public testing::Test {
protected:
    std::string explained(
        const std::string& name, const char* asked, const char* is, const Options& final
    ) {
        const auto reader = [this](const std::string& path) -> std::optional<std::string> {
            const auto found = files.find(path);
            return found == files.end() ? std::nullopt : std::optional(found->second);
        };
        const Kconfig kconfig = Kconfig::read(reader, {name}, {{"SRCARCH", "arm64"}});
        return explain({name, {asked, "options"}, is}, kconfig, final);
    }

    std::map<std::string, std::string> files = {
        {"Kconfig",
         "mainmenu \"Linux\"\n"
         "source \"arch/$(SRCARCH)/Kconfig\"\n"
         "menu \"File systems\"\n"
         "\tdepends on BLOCK\n"
         "if FS # a comment\n"
         "source \"fs/verity/Kconfig\"\n"
         "endif\n"
         "endmenu\n"
         "config TAIL\n"
         "\tbool \"Tail\"\n"},
        {"arch/arm64/Kconfig",
         "config ARM64\n\tdef_bool y\n\tselect SELECTED if NET\n"
         "config HIDDEN\n\tbool\n"
         "choice\n\tprompt \"Page size\"\n\tdepends on MMU\n"
         "config PAGES_4K\n\tbool \"4K\"\nendchoice\n"},
        {"fs/verity/Kconfig",
         "comment \"nobody's\"\n"
         "\tdepends on NEVER\n"
         "config FS_VERITY\n"
         "\tbool \"Verity\" if EXPERT\n"
         "\tdepends on KEYS && \\\n"
         "\t\t(CRYPTO || COMPILE_TEST)\n"
         "\thelp\n"
         "\t  config NOT_ONE\n"
         "\n"
         "\t  depends on NOTHING\n"
         "config AFTER\n"
         "\ttristate \"After\"\n"
         "\tdepends on FS_VERITY\n"}};
};

TEST_F(KconfigTest, DependenciesOfTheOptionAndOfWhatItStandsIn) {
    EXPECT_EQ(
        explained("FS_VERITY", "y", "n", {{"FS", "y"}}),
        "it depends on KEYS (n) and CRYPTO || COMPILE_TEST (CRYPTO=n, COMPILE_TEST=n) and BLOCK "
        "(n) [fs/verity/Kconfig:3]"
    );
    EXPECT_EQ(
        explained("AFTER", "y", "m", {{"FS", "y"}, {"BLOCK", "y"}, {"FS_VERITY", "m"}}),
        "it depends on FS_VERITY (m) [fs/verity/Kconfig:11]"
    );
    EXPECT_EQ(explained("PAGES_4K", "y", "n", {}), "it depends on MMU (n) [arch/arm64/Kconfig:9]");
}

TEST_F(KconfigTest, APromptThatIsNotShownAndOneThatIsNotThere) {
    const Options met = {{"FS", "y"}, {"BLOCK", "y"}, {"KEYS", "y"}, {"CRYPTO", "y"}};
    EXPECT_EQ(
        explained("FS_VERITY", "y", "n", met),
        "it can be set by hand only with EXPERT (n) [fs/verity/Kconfig:3]"
    );
    EXPECT_EQ(
        explained("HIDDEN", "y", "n", {}),
        "it cannot be set by hand, other options select it [arch/arm64/Kconfig:4]"
    );
}

TEST_F(KconfigTest, WhatSelectsAnOptionThatWasToBeOff) {
    EXPECT_EQ(
        explained("SELECTED", "n", "y", {{"ARM64", "y"}, {"NET", "y"}}),
        "these sources have no such option for this architecture"
    );
    files["Kconfig"] += "config SELECTED\n\tbool \"S\"\n";
    EXPECT_EQ(
        explained("SELECTED", "n", "y", {{"ARM64", "y"}, {"NET", "y"}}), "it is selected by ARM64"
    );
    EXPECT_THAT(
        explained("SELECTED", "n", "y", {{"ARM64", "y"}}),
        testing::HasSubstr("its range or another")
    );
}

TEST_F(KconfigTest, AnOptionThatTheSourcesDoNotHave) {
    EXPECT_EQ(
        explained("NOT_ONE", "y", "n", {}),
        "these sources have no such option for this architecture"
    );
    EXPECT_EQ(
        explained("NOBODY", "y", "n", {}), "these sources have no such option for this architecture"
    );
}

TEST_F(KconfigTest, FilesThatNameEachOtherEnd) {
    files["fs/verity/Kconfig"] = "source \"Kconfig\"\nconfig X\n\tdepends on Y\n";
    EXPECT_THAT(explained("X", "y", "n", {}), testing::HasSubstr("it depends on Y (n)"));
}

}  // namespace
}  // namespace bramble::kernel
