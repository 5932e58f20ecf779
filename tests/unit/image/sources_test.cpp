// From sources to boot files and root trees.
#include "provisioning/image/sources.hpp"

#include <gmock/gmock.h>

#include "archive_fixture.hpp"
#include "provisioning/host/memory_host.hpp"
#include "provisioning/host/real_host.hpp"
#include "provisioning/image/download.hpp"

namespace bramble::image {
namespace {

using testing::HasSubstr;

class Sources : public ArchiveFixture {
protected:
    Result<Ingested> ingest_tar(std::optional<Digest> sum = {}) {
        close();
        return ingest_file({archive_path.string(), sum}, workshop());
    }

    Workshop workshop() { return {machine, top / "out", top / "log", top / "downloads", {}, {}}; }

    host::RealHost machine;
};

TEST_F(Sources, TwoDirectoriesStandForThemselves) {
    open("a.tar");
    file("boot/start4.elf", "firmware");
    file("root/etc/hostname", "base");
    file("root/usr/lib/modules/6.1.0-v8+/modules.dep", "");
    entry("root/lib", AE_IFLNK, "", "usr/lib");
    const auto ingested = ingest_tar();
    ASSERT_TRUE(ingested) << ingested.error().message;
    EXPECT_EQ(read(*ingested->boot / "start4.elf"), "firmware");
    EXPECT_EQ(read(*ingested->root / "etc/hostname"), "base");
    EXPECT_EQ(ingested->kernel_release, "6.1.0-v8+");
}

TEST_F(Sources, ARootTreeBringsItsBootFiles) {
    open("a.tar");
    file("./etc/hostname", "base");
    file("./boot/firmware/config.txt", "arm_64bit=1\n");
    const auto ingested = ingest_tar();
    ASSERT_TRUE(ingested) << ingested.error().message;
    EXPECT_EQ(read(*ingested->boot / "config.txt"), "arm_64bit=1\n");
    EXPECT_EQ(ingested->root, top / "out/tree");
}

TEST_F(Sources, ALinkCalledBootIsNotEntered) {
    open("a.tar");
    file("etc/hostname", "base");
    entry("boot", AE_IFLNK, "", "/etc");
    const auto ingested = ingest_tar();
    ASSERT_TRUE(ingested);
    EXPECT_EQ(ingested->boot, std::nullopt);
}

TEST_F(Sources, BootFilesAlone) {
    open("a.tar");
    file("start4.elf", "firmware");
    const auto ingested = ingest_tar();
    ASSERT_TRUE(ingested);
    EXPECT_EQ(read(*ingested->boot / "start4.elf"), "firmware");
    EXPECT_EQ(ingested->root, std::nullopt);
}

TEST_F(Sources, AnotherSumThanTheFleetFileSaysIsRefused) {
    open("a.tar");
    file("start4.elf", "firmware");
    const auto ingested = ingest_tar(Digest::of("other"));
    ASSERT_FALSE(ingested);
    EXPECT_THAT(ingested.error().message, HasSubstr("fetch it again, or correct sha256:"));
}

// A store's file name: whatever a server's path holds, it stays in its directory.
TEST(FileNameOf, AUrlGivesAHarmlessName) {
    EXPECT_EQ(file_name_of("https://lab/raspios/lite.img.xz"), "lite.img.xz");
    EXPECT_EQ(file_name_of("https://lab/lite.img.xz?token=a/b#c"), "lite.img.xz");
    EXPECT_EQ(file_name_of("https://lab/a b\"$.tar"), "a_b__.tar");
    EXPECT_EQ(file_name_of("https://lab/.."), "download..");
    EXPECT_EQ(file_name_of("https://lab/"), "download");
    EXPECT_EQ(file_name_of("https://lab"), "download");
    EXPECT_EQ(file_name_of("https://lab/" + std::string(4000, 'x') + ".img").size(), 150U);
    EXPECT_TRUE(file_name_of("https://lab/" + std::string(4000, 'x') + ".img").ends_with(".img"));
}

// What is behind a URL is not looked at to plan; another sum is another image.
TEST(SourceKeyOfAUrl, IsItsTextAndItsSum) {
    host::RealHost machine;
    fleet::Image image;
    image.source = fleet::FileSource{"https://lab/lite.img.xz", std::nullopt};
    const auto key = source_key(image, machine);
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(source_key(image, machine), key);
    image.source = fleet::FileSource{"https://lab/lite.img.xz", Digest::of("x")};
    EXPECT_NE(source_key(image, machine), key);
    image.source = fleet::FileSource{"https://lab/lite.qcow2?x", std::nullopt};
    EXPECT_FALSE(source_key(image, machine));
}

TEST(CheckArchive, NamesTheWayOutOfWhatItDoesNotRead) {
    for (const char* name : {"/a/lite.QCOW2", "/a/lite.iso", "https://x.org/a.iso?b"}) {
        EXPECT_FALSE(check_archive({name, {}})) << name;
    }
    for (const char* name :
         {"/a/lite.tar.xz",
          "/a/lite.img",
          "/a/lite.IMG.xz",
          "/a/lite.zip",
          "https://x.org/a.tar"}) {
        EXPECT_TRUE(check_archive({name, {}})) << name;
    }
    EXPECT_EQ(
        check_archive({"/a/lite.qcow2", {}}).error().message,
        "this version does not read '/a/lite.qcow2': make a raw disk image (.img) of it, name its "
        "partitions as directory: {boot: DIR, root: DIR}, or use a debian: suite"
    );
}

TEST(IngestDirectory, CopiesTheRootAndLeavesTheBootFilesWhereTheyAre) {
    host::MemoryHost machine;
    machine.put_file("/src/root/etc/hostname", "base");
    machine.put_file("/src/root/lib/modules/6.1.0/modules.dep", "");
    machine.put_directory("/staging");
    const auto ingested = ingest_directory(
        {"/src/boot", "/src/root"}, {machine, "/staging", "/log", "/downloads", {}, {}}
    );
    ASSERT_TRUE(ingested);
    EXPECT_EQ(ingested->boot, "/src/boot");
    EXPECT_EQ(ingested->root, "/staging/root");
    EXPECT_EQ(ingested->kernel_release, "6.1.0");
    EXPECT_EQ(machine.text_at("/staging/root/etc/hostname"), "base");
}

}  // namespace
}  // namespace bramble::image
