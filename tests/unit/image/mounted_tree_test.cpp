// How large a squashfs or erofs may say that it is, and what is asked of the machine for it.
#include "provisioning/image/mounted_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"

namespace bramble::image {
namespace {

using testing::HasSubstr;

TEST(TreeSizeCheck, ATreeThatFitsIsTaken) {
    EXPECT_TRUE(check_tree_size({mounted_entries_max, 1'000}, mounted_free_bytes_min + 1'000));
}

TEST(TreeSizeCheck, FilesThatHoldMoreThanTheStoreHasRoomForAreRefused) {
    const auto checked =
        check_tree_size({12, 2'000'000'000'000}, mounted_free_bytes_min + 1'999'999'999'999);
    ASSERT_FALSE(checked);
    EXPECT_EQ(
        checked.error().message,
        "its root's files hold 2.0 TB, and the store has 2.0 TB free, of which 268.4 MB are left "
        "to "
        "others: make room, or fetch the image again if it cannot be so large"
    );
    EXPECT_FALSE(check_tree_size({1, 1}, 0));
}

TEST(TreeSizeCheck, MoreFilesThanAnyRootHasAreRefused) {
    const auto checked = check_tree_size({mounted_entries_max + 1, 0}, UINT64_MAX);
    ASSERT_FALSE(checked);
    EXPECT_EQ(
        checked.error().message,
        "its root holds more than 4000000 files: it is hostile or damaged, fetch the image again"
    );
}

class MountedTree : public testing::Test {
protected:
    // What the first command says of the tree's size; whether there was a second one.
    Result<void> copied(const std::string& measured) {
        machine.script("unshare", [&](host::MemoryHost&, const host::Command& command) {
            (command.argv.at(6).find("cp -a") == std::string::npos ? measures : copies)++;
            return host::CommandOutcome{0, measured, ""};
        });
        return copy_mounted_tree(
            {"/image", {2, 512, 1 << 20}, "squashfs", "/staging/root"},
            {machine, "/staging", "/log", "/downloads", {}, {}}
        );
    }

    host::MemoryHost machine;
    int measures = 0;
    int copies = 0;
};

TEST_F(MountedTree, IsMeasuredBeforeItIsCopied) {
    EXPECT_TRUE(copied("12 0\n"));
    EXPECT_EQ(measures, 1);
    EXPECT_EQ(copies, 1);
}

TEST_F(MountedTree, ThatIsTooLargeIsNotCopied) {
    const auto done = copied("4000001 0\n");
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("more than 4000000 files"));
    EXPECT_EQ(copies, 0);
}

TEST_F(MountedTree, WhoseSizeIsNotKnownIsNotCopied) {
    EXPECT_FALSE(copied(""));
    EXPECT_EQ(copies, 0);
}

}  // namespace
}  // namespace bramble::image
