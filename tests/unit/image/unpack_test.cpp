// Archives as they come, and as an attacker would send them (attack classes, B1).
#include "provisioning/image/unpack.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "archive_fixture.hpp"

namespace bramble::image {
namespace {

using testing::HasSubstr;

class Unpack : public ArchiveFixture {
protected:
    Result<void> unpack() {
        close();
        return unpack_tar({archive_path, top / "out", {}, {}});
    }

    std::string refusal() {
        const auto done = unpack();
        return done ? "unpacked" : done.error().message;
    }
};

TEST_F(Unpack, ATreeArrivesAsItIs) {
    open("a.tar");
    directory("./etc");
    entry("./etc/shadow", AE_IFREG, "secret", "", 0640);
    entry("./usr/bin/su", AE_IFREG, "su", "", 04755);
    entry("./usr/bin/su2", AE_IFREG, "", "./usr/bin/su");
    entry("./etc/mtab", AE_IFLNK, "", "/proc/self/mounts");
    ASSERT_TRUE(unpack());

    struct stat found {};

    ASSERT_EQ(::stat((top / "out/etc/shadow").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 0640U);
    EXPECT_EQ(found.st_mtime, 1'600'000'000);
    ASSERT_EQ(::stat((top / "out/usr/bin/su2").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 04755U);
    EXPECT_EQ(found.st_nlink, 2U);
    EXPECT_EQ(std::filesystem::read_symlink(top / "out/etc/mtab"), "/proc/self/mounts");
}

TEST_F(Unpack, CompressedOnesToo) {
    archive_write_add_filter_zstd(writer);
    open("a.tar.zst");
    file("boot/config.txt", "arm_64bit=1\n");
    ASSERT_TRUE(unpack());
    EXPECT_EQ(read(top / "out/boot/config.txt"), "arm_64bit=1\n");
}

TEST_F(Unpack, DotDotIsRefused) {
    open("a.tar");
    file("etc/../../escaped", "x");
    EXPECT_THAT(refusal(), HasSubstr("is refused: its entry 'etc/../../escaped' leads out"));
    EXPECT_FALSE(std::filesystem::exists(top / "escaped"));
}

TEST_F(Unpack, AnAbsolutePathIsRefused) {
    open("a.tar");
    file("/tmp/bramble-absolute", "x");
    EXPECT_THAT(refusal(), HasSubstr("its entry '/tmp/bramble-absolute' leads out of the tree"));
    EXPECT_FALSE(std::filesystem::exists("/tmp/bramble-absolute"));
}

TEST_F(Unpack, AHardLinkOutIsRefused) {
    open("a.tar");
    entry("shadow", AE_IFREG, "", "/etc/passwd");
    EXPECT_THAT(refusal(), HasSubstr("'shadow' is a hard link out of the tree to '/etc/passwd'"));
    EXPECT_FALSE(std::filesystem::exists(top / "out/shadow"));
}

TEST_F(Unpack, AHardLinkWithDotDotIsRefused) {
    open("a.tar");
    entry("shadow", AE_IFREG, "", "../../etc/passwd");
    EXPECT_THAT(refusal(), HasSubstr("is a hard link out of the tree"));
}

// A link first, then a file "in" it: the classic slip.
TEST_F(Unpack, WritingThroughALinkIsRefused) {
    std::filesystem::create_directory(top / "outside");
    open("a.tar");
    entry("etc", AE_IFLNK, "", (top / "outside").string());
    file("etc/passwd", "root::0:0::/:/bin/sh\n");
    EXPECT_THAT(refusal(), HasSubstr("cannot be unpacked"));
    EXPECT_FALSE(std::filesystem::exists(top / "outside/passwd"));
}

TEST_F(Unpack, AHardLinkThroughALinkDoesNotLeadOut) {
    std::filesystem::create_directory(top / "outside");
    std::ofstream(top / "outside/secret") << "ours";
    open("a.tar");
    entry("door", AE_IFLNK, "", (top / "outside").string());
    entry("stolen", AE_IFREG, "", "door/secret");
    EXPECT_THAT(refusal(), HasSubstr("cannot be unpacked"));
    EXPECT_FALSE(std::filesystem::exists(top / "out/stolen"));
}

TEST_F(Unpack, ATruncatedArchiveIsDamaged) {
    open("a.tar");
    file("a", std::string(100'000, 'x'));
    close();
    std::filesystem::resize_file(archive_path, 50'000);
    EXPECT_THAT(refusal(), HasSubstr("is damaged"));
}

TEST_F(Unpack, SomethingElseIsNoArchive) {
    close();
    archive_path = top / "noise.tar";
    std::ofstream(archive_path) << std::string(4096, 'n');
    EXPECT_THAT(refusal(), HasSubstr("is no tar archive or damaged"));
    std::ofstream(archive_path, std::ios::trunc).close();
    EXPECT_THAT(refusal(), HasSubstr("is empty"));
}

TEST_F(Unpack, StopsWhenAsked) {
    open("a.tar");
    file("a", "x");
    close();
    std::stop_source source;
    source.request_stop();
    EXPECT_FALSE(unpack_tar({archive_path, top / "out", {}, source.get_token()}));
}

// libarchive sets the umask to nothing for each entry: no other thread may see that.
TEST_F(Unpack, TheUmaskOfOthersStaysAsItIs) {
    open("a.tar");
    for (int i = 0; i < 2000; ++i) file(std::to_string(i), "");
    close();
    constexpr mode_t mine = 0027;
    const mode_t before = ::umask(mine);
    std::atomic<bool> over = false;
    std::size_t disturbed = 0;
    {
        const std::jthread other([&] {
            EXPECT_TRUE(unpack_tar({archive_path, top / "out", {}, {}}));
            over = true;
        });
        while (!over) disturbed += ::umask(mine) == mine ? 0 : 1;
    }
    EXPECT_EQ(::umask(before), mine);
    EXPECT_EQ(disturbed, 0U);
}

}  // namespace
}  // namespace bramble::image
