// Every rule about a text that is written for a board by its exact sentence and remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/boot/cmdline.hpp"
#include "provisioning/boot/config_txt.hpp"

namespace bramble::boot {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CmdlineRules, TheRest) {
    CmdlineInputs inputs;
    inputs.root = NfsRoot{"172.16.1.1", "/with blank/r"};
    inputs.profile = {"loglevel=3 loglevel=7 nowatchdog nowatchdog ip=off", "motd=größer"};
    EXPECT_THAT(
        make_cmdline(inputs).findings,
        ElementsAre(
            Finding{
                true,
                "cmdline-ascii",
                "a cmdline parameter holds a character outside of printable ASCII",
                "write it with the characters ' ' to '~' on one line"},
            Finding{
                true,
                "cmdline-root",
                "cmdline parameter 'ip=off' contradicts the NFS root that this board gets",
                "take it out (root=, nfsroot= and ip= are written by Bramble), or set the "
                "profile's root: {mode: none}"},
            Finding{
                false,
                "cmdline-twice",
                "cmdline has 'loglevel=3' and 'loglevel=7': the kernel takes the last one",
                "leave one of them"},
            Finding{
                false,
                "cmdline-twice",
                "cmdline parameter 'nowatchdog' stands there twice",
                "leave one of them"},
            Finding{
                true,
                "nfsroot-path",
                "nfsroot= cannot carry the path '/with blank/r': blanks, commas, quotes and % end "
                "it or mean something else",
                "choose another appliance.store"}
        )
    );
    inputs.root = NfsRoot{"172.16.1.1", "/r", std::string(256, '3')};
    inputs.profile.clear();
    EXPECT_THAT(
        make_cmdline(inputs).findings,
        ElementsAre(Finding{
            true,
            "nfsroot-options",
            "the mount options are longer than the 255 bytes that the kernel keeps",
            "check the profile's nfs version"})
    );
}

std::vector<Finding> told_of(std::vector<std::string> words) {
    CmdlineInputs inputs;
    inputs.profile = std::move(words);
    return make_cmdline(inputs).findings;
}

Finding twice(const std::string& message) {
    return {false, "cmdline-twice", message, "leave one of them"};
}

TEST(CmdlineRules, Twice) {
    EXPECT_THAT(
        told_of({"console=tty1", "console=serial0,115200", "console=tty1"}),
        ElementsAre(twice("cmdline parameter 'console=tty1' stands there twice"))
    );
    EXPECT_THAT(
        told_of({"systemd.unit=rescue.target", "systemd.unit=multi-user.target"}),
        ElementsAre(twice("cmdline has 'systemd.unit=rescue.target' and "
                          "'systemd.unit=multi-user.target': the kernel takes the last one"))
    );
    EXPECT_THAT(
        told_of({"usb-storage.quirks=a", "usb_storage.quirks=b"}),
        ElementsAre(twice("cmdline has 'usb-storage.quirks=a' and 'usb_storage.quirks=b': the "
                          "kernel takes the last one"))
    ) << "kernel/params.c: - and _ are the same";
    EXPECT_THAT(
        told_of({"modprobe.blacklist=a", "modprobe.blacklist=b", "modprobe-blacklist=c"}), IsEmpty()
    );
    EXPECT_THAT(
        told_of(
            {"cgroup_enable=cpuset",
             "cgroup_enable=memory",
             "hugepagesz=2M",
             "hugepages=8",
             "hugepagesz=32M",
             "hugepages=8",
             "video=HDMI-A-1:d",
             "video=HDMI-A-2:d",
             "systemd.mask=a",
             "systemd.mask=b",
             "a.dyndbg=+p"}
        ),
        IsEmpty()
    );
    EXPECT_THAT(told_of({"quiet", "--", "quiet", "-x", "-x"}), IsEmpty()) << "those are init's";
}

TEST(CmdlineRules, Contradiction) {
    const auto finding = [](const std::string& pair) {
        return Finding{
            false,
            "cmdline-contradiction",
            "cmdline has " + pair + ": the kernel takes the last one",
            "leave one of them"};
    };
    EXPECT_THAT(told_of({"debug", "quiet"}), ElementsAre(finding("quiet and debug")));
    EXPECT_THAT(told_of({"ro", "rw"}), ElementsAre(finding("ro and rw")));
    EXPECT_THAT(told_of({"maxcpus=4", "nosmp"}), ElementsAre(finding("nosmp and maxcpus=4")));
    EXPECT_THAT(
        told_of({"cgroup_enable=memory", "cgroup_disable=memory"}),
        ElementsAre(finding("cgroup_enable=memory and cgroup_disable=memory"))
    );
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"nosmp", "maxcpus=1"},
             {"nosmp", "maxcpus=many"},
             {"cgroup_enable=cpuset", "cgroup_disable=memory"},
             {"quiet", "--", "debug"},
             {"quiet", "loglevel=3"}}) {
        EXPECT_THAT(told_of(words), IsEmpty()) << testing::PrintToString(words);
    }
}

TEST(CmdlineRules, Quote) {
    EXPECT_THAT(
        told_of({"dyndbg=\"file a.c", "quiet"}),
        ElementsAre(Finding{
            true,
            "cmdline-quote",
            "cmdline parameter 'dyndbg=\"file a.c' opens a quote and does not close it: the kernel "
            "takes all that follows for a part of it",
            "close it, or take it out"})
    );
    CmdlineInputs inputs;
    inputs.image =
        "a=1 b=\"c d\ne=gr\xc3\xb6\xc3\x9f"
        "e f=2\n";
    const Text text = make_cmdline(inputs);
    EXPECT_EQ(text.text, "a=1 f=2\n");
    const std::string remedy = "give the profile a cmdline: of its own";
    EXPECT_THAT(
        text.findings,
        ElementsAre(
            Finding{
                false,
                "cmdline-quote",
                "left out of the image's cmdline.txt: cmdline parameter 'b=\"c d' opens a quote "
                "and does not close it: the kernel takes all that follows for a part of it",
                remedy},
            Finding{
                false,
                "cmdline-ascii",
                "left out of the image's cmdline.txt: a cmdline parameter holds a character "
                "outside of printable ASCII",
                remedy}
        )
    );
}

// ---- config.txt, fact sheet 7.1

TEST(ConfigRules, LinesAndSize) {
    ConfigTxtInputs inputs;
    inputs.owner = "pi-01";
    inputs.profile = {{"dtoverlay", std::string(90, 'x')}, {"hint", "größer"}};
    EXPECT_THAT(
        make_config_txt(inputs).findings,
        ElementsAre(
            Finding{
                true,
                "config-line-length",
                "config.txt entry 'dtoverlay=xxxxxxxxxxxxxxxxxxxx…' is 100 characters long; the "
                "firmware ignores what stands behind 98",
                "shorten it, or split a dtoverlay's parameters over dtparam lines"},
            Finding{
                true,
                "config-ascii",
                "a config.txt entry holds a character outside of printable ASCII, which some "
                "firmware stops at",
                "write it with the characters ' ' to '~' on one line"}
        )
    );
    inputs.profile.clear();
    for (int i = 0; i < 100; ++i) inputs.profile.push_back({"dtparam", std::string(40, 'y')});
    EXPECT_THAT(
        make_config_txt(inputs).findings,
        ElementsAre(Finding{
            true,
            "config-size",
            "config.txt is 4965 bytes long without comments; the firmware ignores one of more than "
            "4096",
            "take entries out, or move those for start4.elf into a file of boot_files: and include "
            "it"})
    );
}

TEST(ConfigRules, InitramfsOfASharedRoot) {
    ConfigTxtInputs inputs;
    inputs.owner = "pi-01";
    inputs.initramfs = "bramble-initramfs.gz";
    inputs.profile = {{"auto_initramfs", "1"}};
    EXPECT_THAT(
        make_config_txt(inputs).findings,
        ElementsAre(Finding{
            true,
            "config-initramfs",
            "config.txt entry 'auto_initramfs=1' contradicts the initramfs that a shared root is "
            "started with",
            "take it out, or set the profile's root: {mode: per-board}"})
    );
}

}  // namespace
}  // namespace bramble::boot
