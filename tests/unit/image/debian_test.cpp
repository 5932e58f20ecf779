// A Debian suite as an image: whose package sources, what is asked of mmdebstrap, what comes out.
#include "provisioning/image/debian.hpp"

#include <gmock/gmock.h>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/image/debian_progress.hpp"
#include "provisioning/image/debian_sources.hpp"

namespace bramble::image {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view targets =
    "http://mirror.lab/debian/|bookworm|main|Debian|/etc/apt/sources.list:1\n"
    "http://mirror.lab/debian/|bookworm|main|Debian|/etc/apt/sources.list:1\n"
    "http://mirror.lab/debian/|bookworm-updates|main||/etc/apt/sources.list:2\n"
    "http://mirror.lab/security/|bookworm-security|main|Debian|/etc/apt/sources.list:3\n"
    "http://mirror.lab/debian/|bookworm-backports|main|Debian Backports|/etc/apt/sources.list:4\n"
    "https://docker.example/|bookworm|stable|Docker|/etc/apt/sources.list.d/docker.list:1\n"
    "https://node.example/|nodistro|main|. nodistro|/etc/apt/sources.list.d/node.sources:1\n";

TEST(DebianSources, TheMachinesOwnWithoutForeignersAndBackports) {
    EXPECT_THAT(
        debian_sources(targets, "bookworm", "bookworm"),
        ElementsAre(
            "deb http://mirror.lab/debian/ bookworm main",
            "deb http://mirror.lab/debian/ bookworm-updates main",
            "deb http://mirror.lab/security/ bookworm-security main"
        )
    );
}

TEST(DebianSources, AnotherSuiteComesFromTheSamePlaces) {
    EXPECT_THAT(
        debian_sources(targets, "bookworm", "trixie"),
        ElementsAre(
            "deb http://mirror.lab/debian/ trixie main",
            "deb http://mirror.lab/debian/ trixie-updates main",
            "deb http://mirror.lab/security/ trixie-security main"
        )
    );
    EXPECT_THAT(
        debian_sources(targets, "bookworm", "sid"),
        ElementsAre("deb http://mirror.lab/debian/ sid main")
    );
}

TEST(DebianSources, AMachineWithoutDebianSourcesHasNone) {
    EXPECT_THAT(debian_sources(targets, "", "bookworm"), IsEmpty());
    EXPECT_THAT(debian_sources("", "bookworm", "bookworm"), IsEmpty());
    EXPECT_THAT(debian_sources("|||\n\n|", "bookworm", "bookworm"), IsEmpty());
}

TEST(DebianProgress, TellsPhasesAndEveryTenthPackage) {
    DebianProgress progress;
    EXPECT_EQ(
        progress.on_line("I: installing essential packages..."), "installing the base system"
    );
    std::vector<std::string> told;
    for (int i = 0; i < 25; ++i)
        if (const auto line = progress.on_line("Setting up udev:arm64 (252) ..."))
            told.push_back(*line);
    EXPECT_THAT(told, ElementsAre("setting up package 10: udev", "setting up package 20: udev"));
    EXPECT_EQ(progress.on_line("Get:1 http://mirror.lab/debian bookworm/main"), std::nullopt);
    EXPECT_EQ(progress.on_line("E: no space"), "E: no space");
}

// An ELF program without PT_INTERP: 64 bit, little endian, one PT_LOAD header.
std::string static_program() {
    std::string bytes(120, '\0');
    bytes.replace(
        0,
        6,
        std::string(
            "\x7f"
            "ELF\x02\x01",
            6
        )
    );
    bytes[32] = 64;
    bytes[54] = 56;
    bytes[56] = 1;
    bytes[64] = 1;
    return bytes;
}

class IngestDebian : public testing::Test {
protected:
    IngestDebian() {
        source_.suite = "bookworm";
        source_.packages = {"fio", "busybox-static"};
        host_.put_directory("/staging");
        host_.put_file("/etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\nVERSION_ID=12\n");
        host_.script("mmdebstrap", nullptr);
        host_.script("arch-test", nullptr);
        host_.script("apt-get", [](host::MemoryHost&, const host::Command&) {
            host::CommandOutcome outcome;
            outcome.output = targets;
            return Result<host::CommandOutcome>(outcome);
        });
        host_.script("sh", [this](host::MemoryHost& host, const host::Command& command) {
            command_ = command;
            if (command.on_line) command.on_line("I: running apt-get update...");
            make_root(host);
            host::CommandOutcome outcome;
            outcome.exit_code = exit_code_;
            outcome.errors = "E: mmdebstrap failed to run\n";
            return Result<host::CommandOutcome>(outcome);
        });
    }

    static void make_root(host::MemoryHost& host) {
        const host::Path root = "/staging/root";
        const host::Path modules = root / "lib/modules/6.1.0-56-arm64";
        std::string dep;
        for (const char* name : {"nfs", "nfsv3", "nfsv4", "genet"}) {
            host.put_file(modules / (std::string(name) + ".ko"), name);
            dep += std::string(name) + ".ko:\n";
        }
        host.put_file(modules / "modules.dep", dep);
        host.put_file(root / "bin/busybox", static_program());
        host.put_file(root / "boot/vmlinuz-6.1.0-56-arm64", "MZ kernel");
        host.put_file(root / "etc/hostname", "builder\n");
        host.put_file(root / "etc/resolv.conf", "nameserver 10.0.0.1\n");
        host.put_file(root / "etc/ssh/ssh_host_rsa_key", "secret");
        host.put_file(root / "etc/ssh/sshd_config", "");
        const host::Path trees = root / "usr/lib/linux-image-6.1.0-56-arm64/broadcom";
        host.put_file(trees / "bcm2711-rpi-4-b.dtb", "pi4");
        host.put_file(trees / "bcm2711-rpi-cm4-io.dtb", "cm4");
        host.put_file(trees / "bcm4908-asus.dtb", "router");
        host.put_file(root / "usr/lib/raspi-firmware/start4.elf", "firmware");
    }

    Result<Ingested> ingest() {
        return ingest_debian(
            source_,
            {host_,
             "/staging",
             "/log",
             "/downloads",
             [this](std::string_view line) { told_.emplace_back(line); },
             {}}
        );
    }

    host::MemoryHost host_;
    fleet::DebianSource source_;
    host::Command command_;
    int exit_code_ = 0;
    std::vector<std::string> told_;
};

TEST_F(IngestDebian, GivesABootDirectoryAndARoot) {
    const auto ingested = ingest();
    ASSERT_TRUE(ingested) << ingested.error().message;
    EXPECT_EQ(ingested->kernel_release, "6.1.0-56-arm64");
    EXPECT_EQ(ingested->root, "/staging/root");
    EXPECT_TRUE(ingested->initramfs_mounts_nfs4);
    std::vector<std::string> names;
    const auto boot = host_.list("/staging/boot").value();
    for (const host::DirectoryEntry& entry : boot) names.push_back(entry.name);
    EXPECT_THAT(
        names,
        ElementsAre(
            "bcm2711-rpi-4-b.dtb",
            "bcm2711-rpi-cm4-io.dtb",
            "bcm2711-rpi-cm4.dtb",
            "boot.scr.uimg",
            "initramfs8",
            "initrd.img",
            "kernel8.img",
            "start4.elf",
            "vmlinuz"
        )
    );
    EXPECT_EQ(host_.text_at("/staging/boot/kernel8.img"), "MZ kernel");
    EXPECT_THAT(told_, Contains("reading the package lists"));
}

TEST_F(IngestDebian, LeavesNoTraceOfTheBuilderAndNoSharedSecret) {
    ASSERT_TRUE(ingest());
    for (const char* path : {"etc/hostname", "etc/resolv.conf", "etc/ssh/ssh_host_rsa_key"})
        EXPECT_FALSE(host_.exists(host::Path("/staging/root") / path)) << path;
    EXPECT_TRUE(host_.exists("/staging/root/etc/ssh/sshd_config"));
    EXPECT_FALSE(host_.exists("/staging/run-foreign"));
}

TEST_F(IngestDebian, AsksForTheSuiteFromTheMachinesOwnSources) {
    ASSERT_TRUE(ingest());
    EXPECT_THAT(
        command_.argv,
        Contains(
            "--include=busybox-static,fio,iproute2,kmod,linux-image-arm64,netbase,openssh-server,"
            "systemd-sysv,udev"
        )
    );
    EXPECT_THAT(command_.argv, Contains("deb http://mirror.lab/debian/ bookworm main"));
    EXPECT_EQ(command_.environment.at("INITRD"), "No");
    ASSERT_TRUE(host_.remove_all("/staging"));
    host_.put_directory("/staging");
    source_.mirror = "http://other/debian";
    source_.packages = {"linux-image-cloud-arm64"};
    ASSERT_TRUE(ingest());
    EXPECT_EQ(command_.argv.back(), "http://other/debian");
    EXPECT_THAT(command_.argv, Not(Contains(HasSubstr("linux-image-arm64"))));
}

TEST_F(IngestDebian, AFailureNamesTheLog) {
    exit_code_ = 1;
    const auto ingested = ingest();
    ASSERT_FALSE(ingested);
    EXPECT_THAT(ingested.error().message, HasSubstr("E: mmdebstrap failed to run"));
    EXPECT_THAT(ingested.error().message, HasSubstr("(all of its output: /log)"));
}

TEST_F(IngestDebian, WhatCannotBeBuiltIsSaidBeforeAnythingRuns) {
    source_.suite = "--help";
    EXPECT_THAT(ingest().error().message, HasSubstr("'--help' is no Debian suite"));
    source_.suite = "bookworm";
    source_.packages = {"a b"};
    EXPECT_THAT(ingest().error().message, HasSubstr("'a b' is no package name"));
    source_.packages = {};
    source_.arch = "m68k";
    EXPECT_EQ(ingest().error().message, "arch: m68k is not known here (known: arm64, armhf)");
    EXPECT_THAT(command_.argv, IsEmpty());
}

TEST(DebianKey, IsTheSettingsAndNotTheirOrder) {
    fleet::DebianSource one;
    one.suite = "bookworm";
    one.packages = {"a", "b"};
    fleet::DebianSource other = one;
    other.packages = {"b", "a"};
    EXPECT_EQ(debian_key(one), debian_key(other));
    other.suite = "trixie";
    EXPECT_NE(debian_key(one), debian_key(other));
    other = one;
    other.arch = "armhf";
    EXPECT_NE(debian_key(one), debian_key(other));
    other = one;
    other.packages = {"a"};
    EXPECT_NE(debian_key(one), debian_key(other));
}

}  // namespace
}  // namespace bramble::image
