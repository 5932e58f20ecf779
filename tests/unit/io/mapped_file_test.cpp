#include "services/io/mapped_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace bramble::io {
namespace {

class MappedFileTest : public testing::Test {
protected:
    MappedFileTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "bramble-mapped-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }

    ~MappedFileTest() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path write(std::string_view text) {
        const auto path = folder_ / "object";
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    std::filesystem::path folder_;
};

TEST_F(MappedFileTest, ShowsTheWholeFile) {
    const auto file = MappedFile::open(write("hello"), 5);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_EQ(file->bytes().size(), 5U);
    EXPECT_EQ(file->bytes()[4], std::byte{'o'});
}

TEST_F(MappedFileTest, AnEmptyFileIsEmpty) {
    const auto file = MappedFile::open(write(""), 0);
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->bytes().empty());
}

TEST_F(MappedFileTest, RefusesAFileWhoseSizeIsNotTheManifests) {
    const auto path = write("hell");
    const auto file = MappedFile::open(path, 5);
    ASSERT_FALSE(file);
    EXPECT_EQ(
        file.error().message,
        path.string() +
            " has 4 bytes, its manifest says 5: the store is damaged; remove that file and run "
            "`bramble apply`"
    );
}

TEST_F(MappedFileTest, FollowsNoLinkAndOpensNoDirectory) {
    const auto path = write("hello");
    std::filesystem::create_symlink(path, folder_ / "link");
    EXPECT_FALSE(MappedFile::open(folder_ / "link", 5));
    EXPECT_FALSE(MappedFile::open(folder_, 5));
    EXPECT_FALSE(MappedFile::open(folder_ / "none", 5));
}

}  // namespace
}  // namespace bramble::io
