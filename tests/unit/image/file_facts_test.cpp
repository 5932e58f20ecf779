// Kernels and initramfs as an image has them, packed, with their configuration beside them.
#include "provisioning/image/file_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/root/cpio.hpp"

namespace bramble::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string kernel_bytes(const std::string& release) {
    return std::string(56, '\0') + "ARM\x64" + std::string(4, '\0') + "Linux version " + release +
           " (x) #1";
}

class FileFacts : public testing::Test {
protected:
    boot::FileFacts facts_of(const std::string& name, const std::string& bytes) {
        host.put_file("/boot/" + name, bytes);
        const auto facts = read_file_facts(host, name, "/boot/" + name);
        EXPECT_TRUE(facts);
        return facts.value_or(boot::FileFacts{});
    }

    host::MemoryHost host;
};

TEST_F(FileFacts, AnInitramfsByItsPrograms) {
    using Kind = root::CpioEntry::Kind;
    const auto packed = root::write_cpio_gzip(
        {{Kind::file, "init", 0755, "#!/bin/sh\n"},
         {Kind::file, "etc/fstab", 0644, ""},
         {Kind::symlink, "bin", 0777, "usr/bin"},
         {Kind::file, "gr\xc3\xb6\xc3\x9f", 0755, ""}}
    );
    ASSERT_TRUE(packed);
    const auto facts = facts_of("initramfs8", *packed);
    ASSERT_TRUE(facts.initramfs);
    EXPECT_EQ(facts.initramfs->problem, "");
    EXPECT_THAT(facts.initramfs->programs, ElementsAre("init"));
    EXPECT_THAT(facts.initramfs->links, ElementsAre(testing::Pair("bin", "usr/bin")));
}

TEST_F(FileFacts, ADamagedInitramfsSaysSo) {
    auto packed = root::write_cpio_gzip({{root::CpioEntry::Kind::file, "init", 0755, "x"}}).value();
    packed.resize(packed.size() / 2);
    const auto facts = facts_of("initrd.img", packed);
    ASSERT_TRUE(facts.initramfs);
    EXPECT_NE(facts.initramfs->problem, "");
}

root::CpioEntry link_to(const std::string& path, const std::string& target) {
    return {root::CpioEntry::Kind::symlink, path, 0777, target};
}

TEST_F(FileFacts, TargetsThatLinuxDoesNotTakeAreLeftOut) {
    const auto packed = root::write_cpio_gzip(
        {{root::CpioEntry::Kind::file, "init", 0755, "x"},
         link_to("far", std::string(4097, 'x')),
         link_to("near", std::string(4096, 'x'))}
    );
    const auto facts = facts_of("initramfs8", packed.value());
    ASSERT_TRUE(facts.initramfs);
    EXPECT_EQ(facts.initramfs->links.size(), 1U);
    EXPECT_TRUE(facts.initramfs->links.contains("near"));
}

TEST_F(FileFacts, OfMoreThanARecordShouldHoldNothingIsKnown) {
    std::vector<root::CpioEntry> entries = {{root::CpioEntry::Kind::file, "init", 0755, "x"}};
    for (int i = 0; i < 512; ++i) {
        entries.push_back(link_to(std::to_string(i), std::string(4096, 'x')));
    }
    EXPECT_FALSE(facts_of("initramfs8", root::write_cpio_gzip(entries).value()).initramfs);
    entries.resize(1);
    for (int i = 0; i < 10'000; ++i) entries.push_back(link_to(std::to_string(i), "x"));
    EXPECT_FALSE(facts_of("initramfs8", root::write_cpio_gzip(entries).value()).initramfs);
}

// The kernel unpacks one after the other: what the first lacks the second may have.
TEST_F(FileFacts, BehindAnArchiveAnotherOneMayFollow) {
    const auto first =
        root::write_cpio_gzip({{root::CpioEntry::Kind::file, "bin/sh", 0755, "x"}}).value();
    ASSERT_TRUE(facts_of("initramfs8", first).initramfs);
    EXPECT_TRUE(facts_of("initramfs8", first).initramfs->problem.empty());
    const auto second =
        root::write_cpio_gzip({{root::CpioEntry::Kind::file, "init", 0755, "x"}}).value();
    EXPECT_FALSE(facts_of("initramfs8", first + second).initramfs);
    EXPECT_FALSE(facts_of("initramfs8", first + "070701 in another way").initramfs);
}

TEST_F(FileFacts, WhatIsPackedInAnotherWayIsNotKnown) {
    EXPECT_FALSE(facts_of("initrd.img", "\x02\x21\x4c\x18 lz4").initramfs);
    EXPECT_FALSE(facts_of("bcm2711-rpi-4-b.dtb", kernel_bytes("6.1")).kernel);
    EXPECT_FALSE(facts_of("overlays/README", kernel_bytes("6.1")).kernel);
    EXPECT_FALSE(facts_of("kernel8.img", "bytes").kernel);
}

// The configuration of the kernel's own release, not the other one's.
TEST_F(FileFacts, AKernelIsKnownByTheConfigurationInTheRoot) {
    host.put_file("/root/boot/config-6.1.0-v8", "CONFIG_NFS_FS=y\nCONFIG_NFS_V3=y\n");
    host.put_file("/root/boot/config-6.6.0-v8", "CONFIG_NFS_FS=m\nCONFIG_NFS_V4=m\n");
    host.put_file("/boot/kernel8.img", kernel_bytes("6.6.0-v8"));
    const auto facts = read_boot_facts(host, {{"kernel8.img", "/boot/kernel8.img"}}, Path("/root"));
    ASSERT_TRUE(facts);
    const auto& kernel = facts->at("kernel8.img").kernel;
    ASSERT_TRUE(kernel);
    EXPECT_EQ(kernel->width, boot::KernelWidth::arm64);
    EXPECT_EQ(kernel->release, "6.6.0-v8");
    EXPECT_TRUE(kernel->configured);
    EXPECT_TRUE(kernel->nfs_versions.empty());
    EXPECT_THAT(kernel->nfs_modules, ElementsAre("4"));
}

// A zImage hides its release: its name tells which of several configurations is its own.
TEST_F(FileFacts, A32BitKernelIsKnownByItsName) {
    host.put_file("/root/boot/config-6.6.31+rpt-rpi-v7", "CONFIG_NFS_FS=y\nCONFIG_NFS_V4=y\n");
    host.put_file("/root/boot/config-6.6.31+rpt-rpi-v7l", "CONFIG_NFS_FS=y\nCONFIG_NFS_V3=y\n");
    std::string bytes(100, '\0');
    bytes.replace(36, 4, std::string("\x18\x28\x6f\x01", 4));
    host.put_file("/boot/kernel7l.img", bytes);
    const auto facts =
        read_boot_facts(host, {{"kernel7l.img", "/boot/kernel7l.img"}}, Path("/root"));
    ASSERT_TRUE(facts);
    const auto& kernel = facts->at("kernel7l.img").kernel;
    ASSERT_TRUE(kernel);
    EXPECT_EQ(kernel->width, boot::KernelWidth::arm);
    EXPECT_EQ(kernel->release, "6.6.31+rpt-rpi-v7l");
    EXPECT_THAT(kernel->nfs_versions, ElementsAre("3"));
}

// A file's name goes into the record and onto terminals: not any bytes, not any length.
TEST_F(FileFacts, AConfigurationWhoseNameIsNoReleaseIsNotRead) {
    std::string bytes(100, '\0');
    bytes.replace(36, 4, std::string("\x18\x28\x6f\x01", 4));
    for (const std::string& release :
         {std::string("6.6\x1b[31m-v7l"), std::string("6.6 -v7l"), std::string(65, '6')}) {
        const std::string file = "/root/boot/config-" + release;
        host.put_file(file, "CONFIG_NFS_FS=y\nCONFIG_NFS_V3=y\n");
        host.put_file("/boot/kernel7l.img", bytes);
        const auto facts =
            read_boot_facts(host, {{"kernel7l.img", "/boot/kernel7l.img"}}, Path("/root"));
        ASSERT_TRUE(facts);
        EXPECT_EQ(facts->at("kernel7l.img").kernel->release, "");
        EXPECT_FALSE(facts->at("kernel7l.img").kernel->configured);
        ASSERT_TRUE(host.remove_all(file));
    }
}

// What config.txt may include; a record of the store keeps it as JSON.
TEST_F(FileFacts, AShortTextAsItIs) {
    EXPECT_EQ(
        facts_of(
            "usercfg.txt",
            "# gr\xc3\xb6\xc3\x9f"
            "e\r\nenable_uart=1\n"
        )
            .text,
        "# gr\x1a\x1a\x1a\x1a"
        "e\r\nenable_uart=1\n"
    );
    EXPECT_EQ(facts_of("lab/extra.conf", "").text, "");
    EXPECT_EQ(facts_of("long.txt", std::string(4096, 'x')).text, std::string(4096, 'x'));
    EXPECT_EQ(facts_of("long.txt", std::string(4097, 'x')), boot::FileFacts{});
    EXPECT_EQ(facts_of("config.txt", "a=1\n"), boot::FileFacts{}) << "it comes otherwise";
    EXPECT_EQ(facts_of("start4.elf", "a=1\n"), boot::FileFacts{});
}

TEST_F(FileFacts, TextsOfAnImageAreBoundedTogether) {
    std::map<std::string, Path> files;
    for (int i = 100; i < 200; ++i) {
        const std::string name = std::to_string(i) + ".txt";
        host.put_file("/boot/" + name, std::string(4096, 'x'));
        files[name] = "/boot/" + name;
    }
    const auto facts = read_boot_facts(host, files, std::nullopt);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->size(), 64U) << "256 KiB";
}

}  // namespace
}  // namespace bramble::image
