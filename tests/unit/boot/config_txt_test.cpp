// config.txt, fact sheet 7.1 and 2.2.
#include "provisioning/boot/config_txt.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bramble::boot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* header = "# Written by Bramble for pi-01: change the fleet file, not this.\n";

std::vector<std::string> rules(const Text& text) {
    std::vector<std::string> found;
    for (const Finding& finding : text.findings) found.push_back(finding.rule);
    return found;
}

TEST(ConfigTxt, WithoutEntriesTheImagesOwnStands) {
    const Text text =
        make_config_txt({"pi-01", "# stock\narm_64bit=1\n\n[cm4]\notg_mode=1\n", {}, {}});
    EXPECT_EQ(text.text, std::string(header) + "# stock\narm_64bit=1\n\n[cm4]\notg_mode=1\n");
    EXPECT_THAT(text.findings, IsEmpty());
}

TEST(ConfigTxt, EntriesFollowOutsideOfTheImagesLastFilter) {
    const Text text = make_config_txt(
        {"pi-01",
         "arm_64bit=1\r\n[cm4]\r\notg_mode=1\r\n",
         {{"enable_uart", "1"}, {"dtoverlay", "disable-bt"}},
         {{"dtoverlay", "disable-wifi"}, {"enable_uart", "0"}}}
    );
    EXPECT_EQ(
        text.text,
        std::string(header) +
            "arm_64bit=1\n[cm4]\notg_mode=1\n"
            "[all]\ndtoverlay=disable-bt\ndtoverlay=disable-wifi\nenable_uart=0\n"
    );
}

TEST(ConfigTxt, FiltersKeepTheirEntriesAndTheProfilesLastOneEndsWithIt) {
    const Text text = make_config_txt(
        {"pi-01", "", {{"gpu_mem", "16"}, {"[pi400]", ""}, {"gpu_mem", "64"}}, {{"gpu_mem", "32"}}}
    );
    EXPECT_EQ(text.text, std::string(header) + "[pi400]\ngpu_mem=64\n[all]\ngpu_mem=32\n");
}

// What a fleet file's filters become, also one inside of another.
TEST(ConfigTxt, OneKeyUnderTwoPairsOfFiltersStaysTwice) {
    const Text text = make_config_txt(
        {"pi-01",
         "",
         {{"gpu_mem", "16"},
          {"[pi4]", ""},
          {"[gpio4=1]", ""},
          {"gpu_mem", "64"},
          {"gpu_mem", "128"},
          {"[all]", ""},
          {"[pi400]", ""},
          {"[gpio4=1]", ""},
          {"gpu_mem", "256"},
          {"[all]", ""}},
         {{"gpu_mem", "32"}}}
    );
    EXPECT_EQ(
        text.text,
        std::string(header) +
            "[pi4]\n[gpio4=1]\ngpu_mem=128\n[all]\n[pi400]\n[gpio4=1]\ngpu_mem=256\n[all]\n"
            "gpu_mem=32\n"
    );
}

// "initramfs NAME followkernel" has no "=".
TEST(ConfigTxt, InitramfsAndIncludeAreWrittenWithABlank) {
    const Text text = make_config_txt(
        {"pi-01", "", {{"initramfs", "initramfs8 followkernel"}, {"include", "lab.txt"}}, {}}
    );
    EXPECT_EQ(
        text.text, std::string(header) + "initramfs initramfs8 followkernel\ninclude lab.txt\n"
    );
}

// "Entry length limit 98 characters, the rest is ignored."
TEST(ConfigTxt, AnEntryHas98CharactersAtTheMost) {
    EXPECT_THAT(
        make_config_txt({"pi-01", "", {{"dtparam", std::string(90, 'x')}}, {}}).findings, IsEmpty()
    );
    const Text text = make_config_txt({"pi-01", "", {{"dtparam", std::string(91, 'x')}}, {}});
    ASSERT_THAT(rules(text), ElementsAre("config-line-length"));
    EXPECT_TRUE(text.findings.front().fatal);
    EXPECT_EQ(
        text.findings.front().message,
        "config.txt entry 'dtparam=xxxxxxxxxxxxxxxxxxxxxx…' is 99 characters long; the firmware "
        "ignores what stands behind 98"
    );
}

TEST(ConfigTxt, TheImagesOwnLongLineIsOnlyAWarning) {
    const Text text = make_config_txt({"pi-01", "dtparam=" + std::string(91, 'x'), {}, {}});
    ASSERT_THAT(rules(text), ElementsAre("config-line-length"));
    EXPECT_FALSE(text.findings.front().fatal);
}

// "Keep config.txt <= 4096 B": comments go first.
TEST(ConfigTxt, CommentsGoBeforeTheFileIsTooLong) {
    std::string image = "arm_64bit=1\n";
    while (image.size() < config_txt_bytes_max) image += "# a comment of the image's author\n";
    const Text text = make_config_txt({"pi-01", image, {{"enable_uart", "1"}}, {}});
    EXPECT_EQ(text.text, std::string(header) + "arm_64bit=1\n[all]\nenable_uart=1\n");
    EXPECT_THAT(text.findings, IsEmpty());
}

TEST(ConfigTxt, TooLongWithoutCommentsIsAnError) {
    std::vector<fleet::ConfigEntry> entries;
    for (int i = 0; i < 300; ++i) entries.push_back({"dtoverlay", "overlay" + std::to_string(i)});
    const Text text = make_config_txt({"pi-01", "", entries, {}});
    ASSERT_THAT(rules(text), ElementsAre("config-size"));
    EXPECT_THAT(text.findings.front().message, HasSubstr("ignores one of more than 4096"));
}

// Rule 25: a non-ASCII byte in config.
TEST(ConfigTxt, AsciiOnly) {
    EXPECT_THAT(
        rules(make_config_txt({"pi-01", "", {{"hdmi_mode", "größe"}}, {}})),
        ElementsAre("config-ascii")
    );
    EXPECT_THAT(
        rules(make_config_txt({"pi-01", "", {{"hdmi_mode", "1\nkernel=evil.img"}}, {}})),
        ElementsAre("config-ascii")
    );
    const Text text = make_config_txt({"pi-01", "# für alle\narm_64bit=1\n", {}, {}});
    EXPECT_THAT(text.findings, IsEmpty());
    EXPECT_THAT(text.text, Not(HasSubstr("alle")));
}

TEST(ConfigTxt, ADefaultNamesWhatTheTreeNeeds) {
    layout::BootTree tree;
    EXPECT_EQ(default_config_txt(tree), "");
    tree["kernel8.img"] = layout::ObjectFile{};
    tree["initramfs8"] = layout::ObjectFile{};
    EXPECT_EQ(default_config_txt(tree), "arm_64bit=1\nauto_initramfs=1\n");
}

}  // namespace
}  // namespace bramble::boot
