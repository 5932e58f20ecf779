// The initramfs read back: what is in it, in what order, and that it is the same every time.
#include "provisioning/root/initramfs.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "programs.hpp"
#include "provisioning/host/memory_host.hpp"
#include "provisioning/root/cpio.hpp"

namespace bramble::root {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string release = "6.1.0-56-arm64";
const host::Path tree = "/store/roots/base";

class InitramfsTest : public testing::Test {
protected:
    InitramfsTest() {
        put_modules(
            "kernel/net/sunrpc.ko:\n"
            "kernel/fs/nfs.ko: kernel/net/sunrpc.ko\n"
            "kernel/fs/nfsv3.ko: kernel/fs/nfs.ko kernel/net/sunrpc.ko\n"
            "kernel/fs/nfsv4.ko: kernel/fs/nfs.ko kernel/net/sunrpc.ko\n"
            "kernel/drivers/net/virtio_net.ko:\n"
            "kernel/drivers/sound.ko:\n"
        );
        for (const char* name :
             {"net/sunrpc", "fs/nfs", "fs/nfsv3", "fs/nfsv4", "drivers/net/virtio_net"})
            host_.put_file(
                modules_ / "kernel" / (std::string(name) + ".ko"), std::string("module ") + name
            );
        host_.put_file(tree / "bin/busybox", elf_program({}));
    }

    void put_modules(const std::string& dep) { host_.put_file(modules_ / "modules.dep", dep); }

    std::string refusal() {
        const auto built = build_initramfs(host_, tree, std::span(&release, 1));
        return built ? "built" : built.error().message;
    }

    std::vector<CpioEntry> entries() {
        const auto built = build_initramfs(host_, tree, std::span(&release, 1));
        EXPECT_TRUE(built) << built.error().message;
        return read_cpio(built->archive).value();
    }

    static const CpioEntry& find(const std::vector<CpioEntry>& entries, std::string_view path) {
        const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
            return entry.path == path;
        });
        EXPECT_NE(found, entries.end()) << path;
        return *found;
    }

    host::MemoryHost host_;
    const host::Path modules_ = tree / "lib/modules" / release;
};

TEST_F(InitramfsTest, HoldsTheInitTheBusyboxAndTheModulesInLoadOrder) {
    const auto all = entries();
    std::vector<std::string> paths;
    for (const CpioEntry& entry : all) paths.push_back(entry.path);
    EXPECT_THAT(
        paths,
        ElementsAre(
            "bin",
            "bin/busybox",
            "dev",
            "dev/console",
            "etc",
            "etc/udhcpc.script",
            "init",
            "modules",
            "modules/6.1.0-56-arm64",
            "modules/6.1.0-56-arm64/nfs.ko",
            "modules/6.1.0-56-arm64/nfsv3.ko",
            "modules/6.1.0-56-arm64/nfsv4.ko",
            "modules/6.1.0-56-arm64/order",
            "modules/6.1.0-56-arm64/sunrpc.ko",
            "modules/6.1.0-56-arm64/virtio_net.ko",
            "proc",
            "root",
            "run",
            "sys"
        )
    );
    EXPECT_EQ(
        find(all, "modules/6.1.0-56-arm64/order").content,
        "virtio_net.ko\nsunrpc.ko\nnfs.ko\nnfsv3.ko\nnfsv4.ko\n"
    );
    EXPECT_EQ(find(all, "modules/6.1.0-56-arm64/nfs.ko").content, "module fs/nfs");
    EXPECT_EQ(find(all, "bin/busybox").content, elf_program({}));
    EXPECT_EQ(find(all, "init").mode, 0755U);
    EXPECT_THAT(find(all, "init").content, HasSubstr("#!/bin/busybox sh\n"));
    const CpioEntry& console = find(all, "dev/console");
    EXPECT_EQ(console.kind, CpioEntry::Kind::character_device);
    EXPECT_EQ(console.major, 5U);
    EXPECT_EQ(console.minor, 1U);
}

TEST_F(InitramfsTest, TheSameTreeGivesTheSameBytes) {
    const auto first = build_initramfs(host_, tree, std::span(&release, 1));
    host_.advance(std::chrono::hours(24));
    const auto second = build_initramfs(host_, tree, std::span(&release, 1));
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    EXPECT_EQ(first->archive, second->archive);
}

TEST_F(InitramfsTest, ServesEveryKernelOfTheTreeThatCanMountARoot) {
    const host::Path other = tree / "lib/modules/6.1.0-56-rpi";
    host_.put_file(other / "modules.dep", "");
    host_.put_file(
        other / "modules.builtin",
        "kernel/fs/nfs/nfs.ko\nkernel/fs/nfs/nfsv3.ko\nkernel/fs/nfs/nfsv4.ko\n"
        "kernel/drivers/net/ethernet/broadcom/genet/genet.ko\n"
    );
    host_.put_file(tree / "lib/modules/6.1.0-56-tiny/modules.dep", "");
    host_.put_file(tree / "lib/modules/half/modules.order", "");
    const auto releases = kernel_releases(host_, tree);
    ASSERT_TRUE(releases);
    EXPECT_THAT(*releases, ElementsAre(release, "6.1.0-56-rpi", "6.1.0-56-tiny"));
    const auto built = build_initramfs(host_, tree, *releases);
    ASSERT_TRUE(built) << built.error().message;
    EXPECT_THAT(built->releases, ElementsAre(release, "6.1.0-56-rpi"));
    EXPECT_THAT(built->left_out, ElementsAre(HasSubstr("kernel 6.1.0-56-tiny has no nfs")));
    const auto all = read_cpio(built->archive).value();
    EXPECT_EQ(find(all, "modules/6.1.0-56-rpi/order").content, "");
    EXPECT_THAT(kernel_releases(host_, "/nowhere").error().message, HasSubstr("no kernel modules"));
}

TEST_F(InitramfsTest, SaysWhatItWouldHaveTaken) {
    const auto built = build_initramfs(host_, tree, std::span(&release, 1));
    ASSERT_TRUE(built);
    EXPECT_THAT(built->absent, testing::Contains("genet"));
    EXPECT_THAT(built->absent, testing::Contains("overlay"));
}

TEST_F(InitramfsTest, AKernelWithEverythingBuiltInNeedsNoModules) {
    put_modules("");
    host_.put_file(
        modules_ / "modules.builtin",
        "kernel/fs/nfs/nfs.ko\nkernel/fs/nfs/nfsv3.ko\nkernel/fs/nfs/nfsv4.ko\n"
        "kernel/drivers/net/ethernet/broadcom/genet/genet.ko\n"
    );
    EXPECT_EQ(find(entries(), "modules/6.1.0-56-arm64/order").content, "");
}

TEST_F(InitramfsTest, WhatIsMissingIsNamedWithItsRemedy) {
    const std::string absent = "5.10";
    EXPECT_THAT(
        build_initramfs(host_, tree, std::span(&absent, 1)).error().message,
        HasSubstr("linux-image-arm64")
    );
    ASSERT_TRUE(host_.remove_all(tree / "bin/busybox"));
    EXPECT_EQ(
        refusal(), "/store/roots/base has no busybox: add the package busybox-static to the image"
    );
    host_.put_file(tree / "bin/busybox", elf_program({"/lib/ld.so.1", {"libc.so.6"}}));
    EXPECT_EQ(
        refusal(),
        "/bin/busybox: its library libc.so.6 is not in the image; or add the package "
        "busybox-static to the image"
    );
    put_modules("kernel/fs/nfs.ko:\nkernel/fs/nfsv3.ko:\nkernel/fs/nfsv4.ko:\n");
    EXPECT_THAT(refusal(), HasSubstr("none of the network drivers virtio_mmio"));
    put_modules("kernel/fs/nfs.ko:\nkernel/fs/nfsv3.ko:\n");
    EXPECT_THAT(refusal(), HasSubstr("has no nfsv4: build it with CONFIG_NFS_FS"));
}

TEST_F(InitramfsTest, ABusyboxThatIsNotStaticBringsItsLoaderAndItsLibraries) {
    host_.put_file(tree / "bin/busybox", elf_program({"/lib/ld.so.1", {"libresolv.so.2"}}));
    host_.put_file(
        tree / "usr/lib/aarch64-linux-gnu/libresolv.so.2",
        elf_program({"", {"libc.so.6", "ld.so.1"}})
    );
    host_.put_file(tree / "usr/lib/aarch64-linux-gnu/libc.so.6", elf_program({"", {"ld.so.1"}}));
    host_.put_file(tree / "lib/ld.so.1", elf_program({}));
    std::vector<std::string> paths;
    for (const CpioEntry& entry : entries()) {
        if (entry.path.starts_with("lib")) paths.push_back(entry.path);
    }
    EXPECT_THAT(paths, ElementsAre("lib", "lib/ld.so.1", "lib/libc.so.6", "lib/libresolv.so.2"));
}

TEST(Cpio, WhatIsWrittenIsRead) {
    const std::vector<CpioEntry> entries = {
        {CpioEntry::Kind::directory, "bin", 0755, {}, 0, 0},
        {CpioEntry::Kind::file, "bin/a", 0755, "content", 0, 0},
        {CpioEntry::Kind::file, "bin/empty", 0600, "", 0, 0},
        {CpioEntry::Kind::symlink, "bin/link", 0777, "a", 0, 0},
    };
    const auto archive = write_cpio_gzip(entries);
    ASSERT_TRUE(archive);
    const auto back = read_cpio(*archive);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->size(), entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        EXPECT_EQ((*back)[i].path, entries[i].path);
        EXPECT_EQ((*back)[i].kind, entries[i].kind);
        EXPECT_EQ((*back)[i].content, entries[i].content);
        if (entries[i].kind != CpioEntry::Kind::symlink) {
            EXPECT_EQ((*back)[i].mode, entries[i].mode);
        }
    }
    EXPECT_FALSE(read_cpio(*archive, 6));  // bytes_max
}

TEST(Decompress, LeavesPlainBytesAloneAndRefusesDamage) {
    EXPECT_EQ(decompress("MZ plain").value(), "MZ plain");
    const auto packed = write_cpio_gzip({{CpioEntry::Kind::file, "a", 0644, "b", 0, 0}});
    ASSERT_TRUE(packed);
    EXPECT_EQ(decompress(*packed)->substr(0, 6), "070701");
    EXPECT_FALSE(decompress(std::string_view(*packed).substr(0, packed->size() / 2)));
    EXPECT_FALSE(decompress(*packed, 10));
}

}  // namespace
}  // namespace bramble::root
