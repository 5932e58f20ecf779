#include "provisioning/kernel/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/fleet/fleet.hpp"
#include "provisioning/kernel/presets.hpp"

namespace bramble::kernel {
namespace {

TEST(ConfigurationTest, ReadsWhatMakeWrites) {
    const auto options = parse_configuration(
        "#\n# Automatically generated file; DO NOT EDIT.\n#\n"
        "CONFIG_NET=y\nCONFIG_BLK_DEV_LOOP=m\n# CONFIG_SLUB is not set\n"
        "CONFIG_HZ=250\r\nCONFIG_PHYS_OFFSET=0x40000000\n"
        "CONFIG_LOCALVERSION=\"-v8 \\\"lab\\\"\"\nCONFIG_CMDLINE=\"\"\n\nCONFIG_NET=m\n"
    );
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(
        *options,
        (Options{
            {"NET", "m"},
            {"BLK_DEV_LOOP", "m"},
            {"SLUB", "n"},
            {"HZ", "250"},
            {"PHYS_OFFSET", "0x40000000"},
            {"LOCALVERSION", "\"-v8 \\\"lab\\\"\""},
            {"CMDLINE", "\"\""}})
    );
    EXPECT_EQ(value_of(*options, "SLUB"), "n");
    EXPECT_EQ(value_of(*options, "ABSENT"), "n");
    EXPECT_EQ(parse_configuration(write_configuration(*options)).value(), *options);
}

TEST(ConfigurationTest, WhatIsNoOptionIsRefusedWithItsLine) {
    for (const char* bad :
         {"NET=y",
          "CONFIG_NET",
          "CONFIG_=y",
          "CONFIG_A-B=y",
          "CONFIG_A=",
          "CONFIG_A=y z",
          "CONFIG_A=\"open",
          "CONFIG_A=\"a\"b\"",
          "CONFIG_A=\"a\\\"",
          "<<<<<<< HEAD"}) {
        const auto options = parse_configuration(std::string("CONFIG_B=y\n") + bad + "\n");
        ASSERT_FALSE(options) << bad;
        EXPECT_EQ(
            options.error().message,
            std::string("line 2: '") + bad + "' is no option: write CONFIG_NAME=VALUE"
        );
    }
}

TEST(ConfigurationTest, TheNumberOfOptionsIsBounded) {
    std::string text;
    for (std::size_t i = 0; i <= options_max; ++i) text += "CONFIG_A" + std::to_string(i) + "=y\n";
    const auto options = parse_configuration(text);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().message, "line 50001: more than 50000 options");
}

TEST(ConfigurationTest, ValuesOfTheFleetFileAreWrittenAsMakeHasThem) {
    EXPECT_EQ(written_value("y"), "y");
    EXPECT_EQ(written_value("n"), "n");
    EXPECT_EQ(written_value("250"), "250");
    EXPECT_EQ(written_value("0x10"), "0x10");
    EXPECT_EQ(written_value("-lab"), "\"-lab\"");
    EXPECT_EQ(written_value("a \"b\" \\"), "\"a \\\"b\\\" \\\\\"");
    EXPECT_EQ(written_value("\"quoted already\""), "\"quoted already\"");
}

TEST(ConfigurationTest, EveryOptionThatDidNotSurviveIsLost) {
    const Asking asking = {
        {"A", {"y", "preset verity"}},
        {"B", {"m", "options"}},
        {"C", {"n", "options"}},
        {"D", {"y", "options"}},
        {"E", {"16", "options"}},
        {"F", {"\"text\"", "options"}}};
    const Options final = {{"A", "y"}, {"B", "y"}, {"C", "y"}, {"E", "0x10"}, {"F", "\"text\""}};
    EXPECT_EQ(
        lost(asking, final),
        (std::vector<Lost>{
            {"B", {"m", "options"}, "y"},
            {"C", {"n", "options"}, "y"},
            {"D", {"y", "options"}, "n"}})
    );
    EXPECT_TRUE(lost({{"ABSENT", {"n", "options"}}}, final).empty());
}

TEST(ConfigurationTest, AKernelThatFindsItsRootByItselfIsKnownByItsOptions) {
    Options options = {{"ROOT_NFS", "y"}, {"IP_PNP", "y"}, {"NFS_FS", "y"}, {"NFS_V3", "y"}};
    EXPECT_TRUE(root_abilities(options).mounts_root);
    EXPECT_EQ(root_abilities(options).nfs_versions, (std::set<std::string>{"3"}));
    options["NFS_V4"] = "m";
    options["NFS_V4_2"] = "y";
    EXPECT_EQ(root_abilities(options).nfs_versions, (std::set<std::string>{"3", "4", "4.2"}));
    options.erase("IP_PNP");
    EXPECT_FALSE(root_abilities(options).mounts_root);
    options["NFS_FS"] = "n";
    EXPECT_TRUE(root_abilities(options).nfs_versions.empty());
}

TEST(ConfigurationTest, EveryPresetOfTheFleetFileIsAFragment) {
    for (const std::string_view preset : fleet::kernel_presets) {
        const auto options = parse_configuration(preset_fragment(preset));
        ASSERT_TRUE(options) << preset << ": " << options.error().message;
        EXPECT_GE(options->size(), 5U) << preset;
        EXPECT_TRUE(preset_fragment(preset).starts_with("# ")) << "says what it is for";
    }
    EXPECT_EQ(preset_fragment("unknown"), "");
    EXPECT_EQ(
        parse_configuration(preset_fragment("verity"))->at("DM_VERITY_VERIFY_ROOTHASH_SIG"), "y"
    );
    EXPECT_TRUE(root_abilities(parse_configuration(preset_fragment("nfsroot")).value()).mounts_root
    );
}

}  // namespace
}  // namespace bramble::kernel
