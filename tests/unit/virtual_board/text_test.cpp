// Fact sheet 7.1 and 7.2: config.txt and cmdline.txt.
#include <gmock/gmock.h>

#include "services/virtual_board/config_txt.hpp"
#include "services/virtual_board/kernel_cmdline.hpp"
#include "tests/unit/virtual_board/lab.hpp"

namespace bramble::virtual_board {
namespace {

using testing::ElementsAre;

const FilterFacts a_pi4{
    .model = BoardModel::pi4, .board_type = 0x11, .serial = Serial(0x1234abcdU)};

TEST(FactSheet71, Filters) {
    const auto kernel = [](std::string_view text) {
        return evaluate_config(text, a_pi4).kernel.value_or("none");
    };
    EXPECT_EQ(kernel("[pi4]\nkernel=a\n"), "a");
    EXPECT_EQ(kernel("[pi5]\nkernel=a\n"), "none");
    EXPECT_EQ(kernel("[cm4]\nkernel=a\n[all]\nkernel=b"), "b");
    EXPECT_EQ(kernel("[none]\nkernel=a\n"), "none");
    EXPECT_EQ(kernel("[0x1234abcd]\nkernel=a\n"), "a");
    EXPECT_EQ(kernel("[0x1234abce]\nkernel=a\n"), "none");
    EXPECT_EQ(kernel("[board-type=0x11]\nkernel=a\n"), "a");
    EXPECT_EQ(kernel("[pi5]\n[pi4]\nkernel=a\n"), "a");            // one kind: the last one counts
    EXPECT_EQ(kernel("[pi4]\n[0x00000001]\nkernel=a\n"), "none");  // two kinds: both
    EXPECT_EQ(kernel("[gpio4=1]\nkernel=a\n"), "none");
    EXPECT_EQ(kernel("[tryboot]\nkernel=a\n[all]\n"), "none");
    EXPECT_EQ(kernel("[pi4\nkernel=a\n"), "a");
}

TEST(FactSheet71, Directives) {
    const ConfigTxt config = evaluate_config(
        "# comment\r\nkernel = k.img \ninitramfs a.img,b.img followkernel\nauto_initramfs=1\n"
        "dtoverlay=disable-bt\ndtoverlay=vc4-kms-v3d,cma-256\ndtoverlay=\nboot_ramdisk=1\n"
        "start_file=start4x.elf\nnonsense\narm_64bit=0",
        a_pi4
    );
    EXPECT_EQ(config.kernel, "k.img");
    EXPECT_THAT(config.initramfs, ElementsAre("a.img", "b.img"));
    EXPECT_THAT(config.overlays, ElementsAre("disable-bt", "vc4-kms-v3d"));
    EXPECT_TRUE(config.auto_initramfs);
    EXPECT_TRUE(config.boot_ramdisk);
    EXPECT_FALSE(config.arm_64bit);
    EXPECT_EQ(config.start_file, "start4x.elf");
}

TEST(FactSheet71, Bounds) {
    EXPECT_EQ(
        evaluate_config("kernel=" + std::string(200, 'k'), a_pi4).kernel,
        std::string(config_line_chars_max - 7, 'k')
    );
    EXPECT_FALSE(evaluate_config("kernel=k\n" + std::string(config_bytes_max, '#'), a_pi4).kernel);
    EXPECT_EQ(evaluate_config("kernel=a\n#\xc3\xa4\nkernel=b\n", a_pi4).kernel, "a");  // 5.2
    int lookups = 0;
    const IncludeLookup endless = [&](std::string_view name) {
        ++lookups;
        return std::optional("include " + std::string(name) + "x\n");
    };
    EXPECT_EQ(
        evaluate_config("include a\n", a_pi4, endless).includes.size(), config_include_depth_max
    );
    std::string many;
    for (int i = 0; i < 100; ++i) many += "include f" + std::to_string(i) + "\n";
    const IncludeLookup none = [](std::string_view) { return std::optional<std::string>(); };
    EXPECT_EQ(evaluate_config(many, a_pi4, none).includes.size(), config_includes_max);
    EXPECT_TRUE(evaluate_config(many, a_pi4).includes.empty());  // the EEPROM
}

TEST(FactSheet72, KnownGoodCmdline) {
    const auto boot = parse_cmdline(standard_cmdline);
    ASSERT_TRUE(boot) << boot.error().message;
    EXPECT_EQ(boot->root.server, "172.16.1.1");
    EXPECT_EQ(boot->root.path, "/srv/pi-01");
    EXPECT_EQ(boot->root.version, "3");
    EXPECT_EQ(boot->root.rsize, 131072U);
    EXPECT_EQ(boot->root.wsize, 4096U);  // the kernel's default
    EXPECT_TRUE(std::holds_alternative<IpByDhcp>(boot->ip));
}

TEST(FactSheet72, StaticAddressAndVersions) {
    const auto boot = parse_cmdline(
        "root=/dev/nfs nfsroot=/srv/x,v4,rsize=big "
        "ip=10.0.0.2:10.0.0.1:10.0.0.254:255.255.0.0::eth0:off"
    );
    ASSERT_TRUE(boot);
    EXPECT_EQ(boot->root.version, "4");
    EXPECT_EQ(boot->root.server, "");
    EXPECT_EQ(boot->root.rsize, 4096U);
    const auto* fixed = std::get_if<IpStatic>(&boot->ip);
    ASSERT_NE(fixed, nullptr);
    EXPECT_EQ(fixed->client.to_string(), "10.0.0.2");
    EXPECT_EQ(fixed->mask->to_string(), "255.255.0.0");
}

TEST(FactSheet72, CmdlinesThatDoNotBoot) {
    const auto error = [](const std::string& text) {
        const auto boot = parse_cmdline(text);
        return boot ? "" : boot.error().message;
    };
    EXPECT_EQ(
        error("root=PARTUUID=1 rw"), "cmdline.txt has no root=/dev/nfs (root is 'PARTUUID=1')"
    );
    EXPECT_EQ(error("\nroot=/dev/nfs"), "cmdline.txt has no root=/dev/nfs (root is '')");
    EXPECT_EQ(error("root=/dev/nfs ip=off"), "ip= leaves the board without an address");
    EXPECT_NE(error("root=/dev/nfs " + std::string(cmdline_bytes_max, 'x')), "");
    EXPECT_EQ(error("root=/dev/nfs nfsroot=a:/b," + std::string(255, 'x')), "");
    EXPECT_NE(error("root=/dev/nfs nfsroot=a:/b," + std::string(256, 'x')), "");
}

// documentation#3205: with an initramfs klibc's nfsmount mounts.
TEST(FactSheet72, KlibcTrap) {
    NfsRoot root;
    root.version = "4.2";
    EXPECT_TRUE(check_mount_options(root, false, InitramfsMount::klibc));
    EXPECT_FALSE(check_mount_options(root, true, InitramfsMount::klibc));
    EXPECT_TRUE(check_mount_options(root, true, InitramfsMount::busybox));
    root.version = "3";
    root.options = "vers=3,proto=tcp";
    EXPECT_FALSE(check_mount_options(root, true, InitramfsMount::klibc));
    root.options = "vers=3,tcp";
    EXPECT_TRUE(check_mount_options(root, true, InitramfsMount::klibc));
}

// Depth alone does not bound it: ten lines that include their own text are 10^8 texts at depth 8.
TEST(FactSheet71, TextsThatIncludeEachOtherAreReadSoOftenAndNoMore) {
    std::string text;
    for (int i = 0; i < 10; ++i) text += "include a.txt\n";
    unsigned reads = 0;
    const auto include = [&](std::string_view) {
        ++reads;
        return std::optional(text);
    };
    const ConfigTxt config = evaluate_config(text + "kernel=after.img\n", FilterFacts{}, include);
    EXPECT_EQ(reads, config_include_reads_max);
    EXPECT_EQ(config.kernel, "after.img");
    EXPECT_EQ(config.includes, std::vector<std::string>{"a.txt"});
}

}  // namespace
}  // namespace bramble::virtual_board
