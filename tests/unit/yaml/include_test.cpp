// Several files, one fleet: which files, in what order, and where that ends.
#include <gtest/gtest.h>

#include "config/yaml/document.hpp"
#include "tests/unit/yaml/memory_files.hpp"

namespace bramble::yaml {
namespace {

std::string board(const std::string& name, int number) {
    const std::string digits = std::to_string(10000000 + number);
    return "boards: [{name: " + name + ", serial: " + digits + ", address: 172.16.1." +
           std::to_string(number) + ", profile: lab}]\n";
}

class IncludeTest : public ::testing::Test {
protected:
    void main_file(const std::string& include) {
        files.files["/lab/fleet.yaml"] = good_fleet + "include: [" + include + "]\n";
    }

    std::string problems() { return render(load("fleet.yaml", files).diagnostics); }

    MemoryFiles files;
};

TEST_F(IncludeTest, FilesThatMatchAreReadInTheOrderOfTheirNames) {
    main_file("boards.d/*.yaml");
    files.files["/lab/boards.d/b.yaml"] = board("b", 12);
    files.files["/lab/boards.d/a.yaml"] = board("a", 11);
    files.files["/lab/boards.d/a.yaml~"] = "]";
    files.files["/lab/boards.d/.hidden.yaml"] = "]";
    const auto result = load("fleet.yaml", files);
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    ASSERT_EQ(result.fleet->boards.size(), 2U);
    EXPECT_EQ(result.fleet->boards[0].name, "a");
    EXPECT_EQ(result.fleet->sources[2].path, "/lab/boards.d/b.yaml");
}

TEST_F(IncludeTest, PathsBeginWhereTheFileLiesThatNamesThem) {
    main_file("rooms/upper/room.yaml");
    files.files["/lab/rooms/upper/room.yaml"] = "include: [../*.yaml]\n";
    files.files["/lab/rooms/images.yaml"] = "images: {own: {source: {file: own.img}}}\n";
    const auto result = load("fleet.yaml", files);
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    EXPECT_EQ(
        std::get<fleet::FileSource>(result.fleet->find_image("own")->source).location,
        "/lab/rooms/own.img"
    );
}

TEST_F(IncludeTest, ProblemsNameTheFileAndItsOtherPlace) {
    main_file("boards.d/a.yaml, boards.d/b.yaml");
    files.files["/lab/boards.d/a.yaml"] = board("a", 11);
    files.files["/lab/boards.d/b.yaml"] = board("a", 12) + "images:\n  lite: {source: {file: x}}\n";
    EXPECT_EQ(
        problems(),
        "boards.d/b.yaml:1:17: duplicate board name 'a' (also at boards.d/a.yaml:1:17: two boards "
        "cannot share it)\n" +
            files.files["/lab/boards.d/b.yaml"].substr(0, board("a", 12).size()) +
            "                ^ near here\n"
            "boards.d/b.yaml:3:3: image 'lite' is described at fleet.yaml:7:3 already (give one of "
            "them another name)\n"
            "  lite: {source: {file: x}}\n"
            "  ^ near here\n"
    );
}

TEST_F(IncludeTest, ThereIsOneAppliance) {
    main_file("more.yaml");
    files.files["/lab/more.yaml"] = "appliance: {interface: e, address: 10.0.0.1/24}\n";
    EXPECT_EQ(
        problems(),
        "more.yaml:1:12: `appliance` is described at fleet.yaml:3:3 already (keep one of the two)\n"
        "appliance: {interface: e, address: 10.0.0.1/24}\n"
        "           ^ near here\n"
    );
}

TEST_F(IncludeTest, AFileThatIsNotThereIsNamed) {
    main_file("more.yaml");
    EXPECT_EQ(
        problems(),
        "fleet.yaml:11:11: /lab/more.yaml cannot be read: No such file or directory\n"
        "include: [more.yaml]\n"
        "          ^ near here\n"
    );
    main_file("more.d/*.yaml");
    EXPECT_EQ(
        problems(),
        "fleet.yaml:11:11: the directory /lab/more.d cannot be read: No such file or directory "
        "(make "
        "it, or take this out)\n"
        "include: [more.d/*.yaml]\n"
        "          ^ near here\n"
    );
}

TEST_F(IncludeTest, APatternThatMatchesNothingIsAWarning) {
    main_file("more.d/*.yaml");
    files.files["/lab/more.d/README"] = "";
    EXPECT_EQ(
        problems(),
        "fleet.yaml:11:11: warning: no file matches this (its directory holds none so far)\n"
        "include: [more.d/*.yaml]\n"
        "          ^ near here\n"
    );
    EXPECT_TRUE(load("fleet.yaml", files).fleet);
}

TEST_F(IncludeTest, PatternsStandInTheLastPartOnly) {
    main_file("'*/board.yaml'");
    EXPECT_EQ(
        problems(),
        "fleet.yaml:11:11: * and ? may stand in the last part of a path only\n"
        "include: ['*/board.yaml']\n"
        "          ^ near here\n"
    );
}

TEST_F(IncludeTest, CyclesAreRefused) {
    main_file("a.yaml");
    files.files["/lab/a.yaml"] = "include: [./fleet.yaml]\n";
    EXPECT_EQ(
        problems(),
        "a.yaml:1:11: fleet.yaml is included a second time (each file once, and none by itself)\n"
        "include: [./fleet.yaml]\n"
        "          ^ near here\n"
    );
}

TEST_F(IncludeTest, DepthIsBounded) {
    main_file("1.yaml");
    for (int i = 1; i < 20; ++i) {
        files.files["/lab/" + std::to_string(i) + ".yaml"] =
            "include: [" + std::to_string(i + 1) + ".yaml]\n";
    }
    EXPECT_EQ(
        problems(),
        "8.yaml:1:11: files include each other deeper than 8 levels\n"
        "include: [9.yaml]\n"
        "          ^ near here\n"
    );
}

TEST_F(IncludeTest, TheNumberOfFilesIsBounded) {
    main_file("'*.y'");
    for (std::size_t i = 0; i < files_max; ++i)
        files.files["/lab/" + std::to_string(i) + ".y"] = "boards:\n";
    EXPECT_EQ(
        problems(),
        "fleet.yaml:11:11: there are more than 10000 files\n"
        "include: ['*.y']\n"
        "          ^ near here\n"
    );
}

TEST_F(IncludeTest, TheirTextsAreBoundedTogether) {
    main_file("a.yaml, b.yaml");
    const std::string half(Budget::text_max / 2, '#');
    files.files["/lab/a.yaml"] = "boards:\n" + half;
    files.files["/lab/b.yaml"] = "boards:\n" + half;
    EXPECT_EQ(
        problems(),
        "fleet.yaml:11:19: /lab/b.yaml cannot be read: it is too long\n"
        "include: [a.yaml, b.yaml]\n"
        "                  ^ near here\n"
    );
}

TEST_F(IncludeTest, HalfAFleetIsNotBlamedForTheOtherHalf) {
    main_file("images.yaml");
    files.files["/lab/fleet.yaml"] =
        "version: 1\ninclude: [images.yaml]\n"
        "appliance: {interface: e, address: 10.0.0.1/24}\nprofiles: {lab: {image: lite}}\n";
    files.files["/lab/images.yaml"] = "images: {lite: {source: {file: a}}\n";
    EXPECT_EQ(
        problems(),
        "images.yaml:2:1: not YAML: end of map flow not found (look at the indentation and the "
        "quotes "
        "here)\n"
        "\n"
        "^ near here\n"
    );
}

TEST(MatchTest, StarsAndQuestionMarks) {
    EXPECT_TRUE(matches("*.yaml", "a.yaml"));
    EXPECT_TRUE(matches("*", "anything"));
    EXPECT_TRUE(matches("a*b*c", "aXbXbc"));
    EXPECT_TRUE(matches("pi-??.yaml", "pi-01.yaml"));
    EXPECT_TRUE(matches(".*", ".hidden"));
    EXPECT_FALSE(matches("*", ".hidden"));
    EXPECT_FALSE(matches("*.yaml", "a.yml"));
    EXPECT_FALSE(matches("pi-?.yaml", "pi-01.yaml"));
    EXPECT_FALSE(matches("a*b*c", "aXbX"));
}

}  // namespace
}  // namespace bramble::yaml
