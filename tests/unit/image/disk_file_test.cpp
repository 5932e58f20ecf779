// Disk images in their compressions, whole, cut short and of the wrong kind.
#include "provisioning/image/disk_file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "archive_fixture.hpp"
#include "provisioning/image/disk_name.hpp"

namespace bramble::image {
namespace {

using testing::HasSubstr;

class DiskFile : public ArchiveFixture {
protected:
    DiskFile() {
        disk.assign(4U << 20U, '\0');
        for (std::size_t i = 0; i < 300'000; ++i) {
            disk[1'000'000 + i] = static_cast<char>(i * 2654435761U >> 13U);
        }
    }

    void pack(const std::string& name, int (*filter)(archive*)) {
        archive_write_set_format_raw(writer);
        filter(writer);
        open(name);
        file("disk", disk);
        close();
    }

    void zip(std::initializer_list<const char*> names) {
        archive_write_set_format_zip(writer);
        open("disk.zip");
        for (const char* name : names) {
            file(name, std::string_view(name).ends_with(".txt") ? "read me" : disk);
        }
        close();
    }

    std::string expand() {
        std::filesystem::remove(top / "out/disk.img");
        const auto done = expand_disk({archive_path, top / "out/disk.img", {}, {}});
        return done ? "" : done.error().message;
    }

    std::string disk;
};

TEST_F(DiskFile, EachCompressionGivesTheSameSparseFile) {
    const std::vector<std::pair<const char*, int (*)(archive*)>> kinds = {
        {"a.img.xz", archive_write_add_filter_xz},
        {"a.img.gz", archive_write_add_filter_gzip},
        {"a.img.zst", archive_write_add_filter_zstd},
        {"a.img.bz2", archive_write_add_filter_bzip2}};
    for (const auto& [name, filter] : kinds) {
        close();
        writer = archive_write_new();
        pack(name, filter);
        EXPECT_EQ(expand(), "") << name;
        EXPECT_TRUE(read(top / "out/disk.img") == disk) << name;

        struct stat status {};

        ASSERT_EQ(::stat((top / "out/disk.img").c_str(), &status), 0);
        EXPECT_LT(status.st_blocks * 512, 600'000) << name;

        const auto size = std::filesystem::file_size(archive_path);
        std::filesystem::resize_file(archive_path, size / 2);
        EXPECT_THAT(expand(), HasSubstr("is damaged or cut short")) << name;
    }
}

// As `xz -T` writes it: blocks of at least 1 MiB, which are decompressed side by side.
TEST_F(DiskFile, AnXzInBlocks) {
    for (std::size_t i = 0; i < disk.size(); i += 5) disk[i] = static_cast<char>(i >> 8U);
    archive_write_set_format_raw(writer);
    archive_write_add_filter_xz(writer);
    ASSERT_EQ(archive_write_set_options(writer, "xz:threads=2,xz:compression-level=0"), ARCHIVE_OK);
    open("a.img.xz");
    file("disk", disk);
    close();
    EXPECT_EQ(expand(), "");
    EXPECT_TRUE(read(top / "out/disk.img") == disk);
}

TEST_F(DiskFile, SeveralXzBehindEachOther) {
    pack("a.img.xz", archive_write_add_filter_xz);
    const std::string once = read(archive_path);
    std::ofstream(archive_path, std::ios::app) << once;
    EXPECT_EQ(expand(), "");
    EXPECT_TRUE(read(top / "out/disk.img") == disk + disk);

    std::ofstream(archive_path) << once << "and more than a header has";
    EXPECT_THAT(
        expand(), HasSubstr("is damaged or cut short (some of it is no .xz data): fetch it again")
    );
    std::string damaged = once;
    damaged[damaged.size() / 2] ^= 1;
    std::ofstream(archive_path) << damaged;
    EXPECT_THAT(expand(), HasSubstr("is damaged or cut short (some of it is no .xz data)"));
}

TEST_F(DiskFile, AStopIsHeardWhileItUnpacks) {
    pack("a.img.xz", archive_write_add_filter_xz);
    std::stop_source stop;
    stop.request_stop();
    const auto done = expand_disk({archive_path, top / "out/disk.img", {}, stop.get_token()});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("was not unpacked: stopped"));
}

TEST_F(DiskFile, TheOneImageOfAZip) {
    zip({"notes.txt", "lite.img"});
    EXPECT_EQ(expand(), "");
    EXPECT_TRUE(read(top / "out/disk.img") == disk);
    std::filesystem::resize_file(archive_path, std::filesystem::file_size(archive_path) / 2);
    EXPECT_THAT(expand(), HasSubstr("cut short"));
}

TEST_F(DiskFile, AZipWithTwoImagesIsRefusedByName) {
    zip({"lite.img", "full.img"});
    EXPECT_THAT(expand(), HasSubstr("holds several disk images, 'lite.img' and 'full.img'"));
}

TEST_F(DiskFile, AZipWithoutAnImageIsRefused) {
    zip({"notes.txt"});
    EXPECT_THAT(expand(), HasSubstr("holds no disk image (a file that ends in .img)"));
}

TEST_F(DiskFile, WhatIsNotCompressedAsItsNameSaysIsRefused) {
    close();
    archive_path = top / "a.img.xz";
    std::ofstream(archive_path) << disk;
    EXPECT_THAT(expand(), HasSubstr("is not compressed as its name says"));
}

TEST(DiskImageNames, InAnyCase) {
    for (const char* name : {"a.img", "a.IMG.XZ", "a.img.gz", "a.raw.zst", "a.img.bz2", "a.ZIP"}) {
        EXPECT_TRUE(is_disk_image(name)) << name;
    }
    for (const char* name : {"a.tar", "a.tar.xz", "a.xz", "img", ""}) {
        EXPECT_FALSE(is_disk_image(name)) << name;
    }
    EXPECT_TRUE(is_plain_disk_image("a.img"));
    EXPECT_FALSE(is_plain_disk_image("a.img.gz"));
}

}  // namespace
}  // namespace bramble::image
