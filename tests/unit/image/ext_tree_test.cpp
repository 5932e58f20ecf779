// Trees of ext filesystems, whole and broken at random: a broken one is refused or copied in part,
// and nothing is ever written outside (attack classes, B1).
#include "provisioning/image/ext_tree.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>

#include "provisioning/host/real_host.hpp"

namespace bramble::image {
namespace {

using host::Path;
using testing::HasSubstr;

constexpr std::uint64_t begin = 1U << 20U;
constexpr std::uint64_t size = 4U << 20U;

class ExtTree : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "owners and devices need root";
        char name[] = "/tmp/bramble-ext-XXXXXX";
        top = ::mkdtemp(name);
        const Path source = top / "source";
        std::filesystem::create_directories(source / "etc/deep/deeper");
        std::filesystem::create_directories(source / "many");
        write(source / "etc/hostname", "board\n");
        write(source / "etc/large", std::string(90'000, 'x'));
        for (int i = 0; i < 60; ++i) write(source / "many" / std::to_string(i), "file");
        std::filesystem::create_hard_link(source / "etc/hostname", source / "again");
        std::filesystem::create_symlink("/etc/passwd", source / "link");
        std::filesystem::create_symlink(std::string(200, 'y'), source / "long");
        ::setxattr((source / "etc/hostname").c_str(), "user.note", "value", 5, 0);
    }

    void TearDown() override {
        if (!top.empty()) std::filesystem::remove_all(top);
    }

    static void write(const Path& path, std::string_view bytes) {
        std::ofstream(path, std::ios::binary) << bytes;
    }

    static std::string read(const Path& path) {
        std::ostringstream text;
        text << std::ifstream(path, std::ios::binary).rdbuf();
        return text.str();
    }

    // The filesystem stands behind a megabyte of something else.
    void make(const std::string& type, const std::string& features) {
        const Path plain = top / "plain";
        std::filesystem::remove(plain);
        const auto made = host::run_or_fail(
            machine,
            {.argv =
                 {"mke2fs",
                  "-q",
                  "-t",
                  type,
                  "-O",
                  features,
                  "-d",
                  (top / "source").string(),
                  plain.string(),
                  "4M"}}
        );
        ASSERT_TRUE(made) << made.error().message;
        image = std::string(begin, 'n') + read(plain);
    }

    std::string copy(const std::string& bytes) {
        write(top / "disk.img", bytes);
        std::filesystem::remove_all(top / "room");
        std::filesystem::create_directories(top / "room/out");
        const auto done = copy_ext_tree({top / "disk.img", begin, size, top / "room/out", {}, {}});
        return done ? "" : done.error().message;
    }

    Path top;
    std::string image;
    host::RealHost machine;
};

TEST_F(ExtTree, ArrivesFromEveryKindOfExt) {
    const std::vector<std::pair<const char*, const char*>> kinds = {
        {"ext2", "none,filetype,ext_attr"},
        {"ext3", "has_journal,ext_attr"},
        {"ext4", "64bit,metadata_csum"},
        {"ext4", "inline_data"}};
    for (const auto& [type, features] : kinds) {
        make(type, features);
        ASSERT_EQ(copy(image), "") << type << ' ' << features;
        const Path out = top / "room/out";
        EXPECT_EQ(read(out / "etc/hostname"), "board\n") << features;
        EXPECT_EQ(read(out / "etc/large"), std::string(90'000, 'x')) << features;
        EXPECT_EQ(std::filesystem::hard_link_count(out / "again"), 2U) << features;
        EXPECT_EQ(std::filesystem::read_symlink(out / "link"), "/etc/passwd") << features;
        EXPECT_EQ(std::filesystem::read_symlink(out / "long"), std::string(200, 'y')) << features;
        char value[16] = {};
        EXPECT_EQ(::getxattr((out / "again").c_str(), "user.note", value, sizeof value), 5);
    }
}

TEST_F(ExtTree, LargerThanItsPartitionIsRefused) {
    make("ext4", "64bit");
    write(top / "disk.img", image);
    std::filesystem::create_directories(top / "room/out");
    const auto done = copy_ext_tree({top / "disk.img", begin, size - 1, top / "room/out", {}, {}});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("larger than its partition"));
}

TEST_F(ExtTree, NamesThatLeadOutAreRefused) {
    make("ext4", "^metadata_csum");
    const std::vector<std::string> names = {"../../xx", "/etc/xxx", std::string("host\0ame", 8)};
    for (const std::string& name : names) {
        std::string broken = image;
        for (auto at = broken.find("hostname"); at != std::string::npos;
             at = broken.find("hostname")) {
            broken.replace(at, name.size(), name);
        }
        EXPECT_THAT(copy(broken), HasSubstr("its filesystem is hostile or damaged")) << name;
    }
}

TEST_F(ExtTree, OneThatWasNotUnmountedIsRefused) {
    make("ext4", "^metadata_csum");
    image.at(begin + 1024 + 0x60) |= 0x04;  // s_feature_incompat: needs_recovery
    EXPECT_THAT(copy(image), HasSubstr("was not unmounted"));
}

TEST_F(ExtTree, BrokenAtRandomNothingLeavesTheTree) {
    make("ext4", "^metadata_csum");
    std::mt19937 chance(20261126);
    std::vector<std::size_t> alive;  // what holds something is what breaks something
    for (std::size_t at = begin; at < image.size(); ++at) {
        if (image[at] != '\0' && image[at] != 'x') alive.push_back(at);
    }
    int refused = 0;
    for (int round = 0; round < 150; ++round) {
        std::string broken = image;
        for (int i = 0; i < 1 + round % 40; ++i) {
            broken[alive[chance() % alive.size()]] = static_cast<char>(chance());
        }
        if (!copy(broken).empty()) ++refused;
        const auto entries = std::distance(
            std::filesystem::directory_iterator(top / "room"), std::filesystem::directory_iterator()
        );
        ASSERT_EQ(entries, 1) << round;
    }
    EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace bramble::image
