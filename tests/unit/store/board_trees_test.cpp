// Board roots of each kind: made, mounted, mounted again after a restart, taken away; and no
// board's write ever shows elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

using fleet::CopyOnWrite;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BoardTrees : public testing::TestWithParam<CopyOnWrite> {
protected:
    BoardTrees() {
        machine.filesystem = GetParam() == CopyOnWrite::btrfs ? "btrfs" : "ext4";
        machine.no_overlay.clear();
        machine.put_file("/new/etc/hostname", "base");
        Changes changes = begin();
        EXPECT_TRUE(changes.adopt_root("/new", "aa"));
        for (const char* board : {"pi-01", "pi-02"}) make(changes, board);
    }

    Changes begin() {
        auto changes = Changes::begin(machine, paths);
        EXPECT_TRUE(changes) << changes.error().message;
        return std::move(*changes);
    }

    static void make(Changes& changes, const char* board) {
        const auto staged = changes.stage_board_root(board, "aa", {GetParam()}, {});
        ASSERT_TRUE(staged) << staged.error().message;
        const auto adopted = changes.adopt_board_root(board, "aa", *staged);
        ASSERT_TRUE(adopted) << adopted.error().message;
    }

    Path root(const char* board) const { return paths.board_root(board, "aa"); }

    bool is_mounted(const char* board) {
        return !machine.mounts_below(root(board)).value().empty();
    }

    static bool has_mounts() { return GetParam() != CopyOnWrite::copy; }

    // The roots', that of boards/, and on btrfs that of roots/.
    static std::size_t mounts() {
        if (!has_mounts()) return 0;
        return GetParam() == CopyOnWrite::btrfs ? 4 : 3;
    }

    host::MemoryHost machine;
    layout::StorePaths paths{"/var/lib/bramble"};
};

TEST_P(BoardTrees, AreApart) {
    machine.put_file(root("pi-01") / "etc/hostname", "changed");
    EXPECT_EQ(machine.text_at(root("pi-02") / "etc/hostname"), "base");
    EXPECT_EQ(machine.text_at(paths.root("aa") / "etc/hostname"), "base");
    EXPECT_EQ(Store(machine, paths).kind_of("pi-01", "aa").value(), GetParam());
}

TEST_P(BoardTrees, AreMountedWhereThatMakesThemABoundary) {
    EXPECT_EQ(is_mounted("pi-01"), has_mounts());
    EXPECT_EQ(is_mounted("pi-02"), has_mounts());
}

TEST_P(BoardTrees, ComeBackAfterARestartWithWhatBoardsWrote) {
    machine.put_file(root("pi-01") / "etc/hostname", "changed");
    machine.fail_call(0, host::MemoryHost::Fault::power_cut);
    EXPECT_FALSE(Changes::begin(machine, paths));
    machine.restart();
    EXPECT_THAT(machine.mounts_below("/").value(), IsEmpty());
    for (int times = 0; times < 2; ++times) {
        const Changes changes = begin();
        EXPECT_THAT(changes.mount_problems(), IsEmpty());
        EXPECT_EQ(machine.text_at(root("pi-01") / "etc/hostname"), "changed");
        EXPECT_EQ(machine.mounts_below("/").value().size(), mounts());
    }
}

TEST_P(BoardTrees, AreTakenOffAndLeaveNoMount) {
    Changes changes = begin();
    ASSERT_TRUE(changes.unmount_roots());
    EXPECT_THAT(machine.mounts_below("/").value(), IsEmpty());
    ASSERT_TRUE(changes.board_root_to_write("pi-01", "aa"));
    EXPECT_EQ(is_mounted("pi-01"), has_mounts());
}

TEST_P(BoardTrees, LeaveNothingWhenTheyGo) {
    Changes changes = begin();
    ASSERT_TRUE(changes.remove_board_root("pi-01", "aa"));
    EXPECT_FALSE(machine.exists(paths.board("pi-01")));
    EXPECT_FALSE(is_mounted("pi-01"));
    EXPECT_EQ(machine.text_at(root("pi-02") / "etc/hostname"), "base");
}

TEST_P(BoardTrees, AMissingBaseIsAProblemOfThatRootAlone) {
    if (GetParam() != CopyOnWrite::overlay) GTEST_SKIP() << "its root does not need the base";
    ASSERT_TRUE(begin().unmount_roots());
    ASSERT_TRUE(machine.remove_all(paths.root("aa")));
    machine.put_directory(paths.board_root("pi-03", "cc"));
    Changes changes = begin();
    ASSERT_EQ(changes.mount_problems().size(), 2U);
    EXPECT_THAT(changes.mount_problems()[0], HasSubstr("the root of board pi-01 is not mounted: "));
    // Nobody writes below a mount that is not there.
    EXPECT_FALSE(changes.board_root_to_write("pi-01", "aa"));
    EXPECT_TRUE(changes.board_root_to_write("pi-03", "cc"));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds,
    BoardTrees,
    testing::Values(CopyOnWrite::copy, CopyOnWrite::btrfs, CopyOnWrite::overlay),
    [](const auto& instance) {
        if (instance.param == CopyOnWrite::copy) return "Copy";
        return instance.param == CopyOnWrite::btrfs ? "Snapshot" : "Overlay";
    }
);

// Steps run side by side: while one root is in the making, another may be the first that is
// mounted.
TEST(BoardTreesSideBySide, TwoOverlaysInTheMakingDoNotHoldEachOther) {
    host::MemoryHost machine;
    machine.filesystem = "ext4";
    machine.no_overlay.clear();
    const layout::StorePaths paths("/var/lib/bramble");
    machine.put_file(paths.root("aa") / "etc/hostname", "base");
    auto changes = Changes::begin(machine, paths);
    ASSERT_TRUE(changes);
    const auto one = changes->stage_board_root("pi-01", "aa", {CopyOnWrite::overlay}, {});
    const auto two = changes->stage_board_root("pi-02", "aa", {CopyOnWrite::overlay}, {});
    ASSERT_TRUE(one) << one.error().message;
    ASSERT_TRUE(two) << two.error().message;
    const auto first = changes->adopt_board_root("pi-01", "aa", *one);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = changes->adopt_board_root("pi-02", "aa", *two);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(machine.mounts_below("/").value().size(), 3U) << "boards/ and the two roots";
}

// As an older version left it on btrfs.
TEST(BoardTreesOnBtrfs, ABaseThatIsNoSubvolumeIsCopiedIntoOne) {
    host::MemoryHost machine;
    machine.filesystem = "btrfs";
    const layout::StorePaths paths("/var/lib/bramble");
    machine.put_file(paths.root("aa") / "etc/hostname", "base");
    auto changes = Changes::begin(machine, paths);
    ASSERT_TRUE(changes);
    const auto staged = changes->stage_board_root("pi-01", "aa", {CopyOnWrite::btrfs}, {});
    ASSERT_TRUE(staged);
    ASSERT_TRUE(changes->adopt_board_root("pi-01", "aa", *staged));
    EXPECT_EQ(changes->store().kind_of("pi-01", "aa").value(), CopyOnWrite::btrfs);
    EXPECT_EQ(machine.text_at(paths.board_root("pi-01", "aa") / "etc/hostname"), "base");
    EXPECT_THAT(
        machine.mounts_below("/").value(),
        ElementsAre(paths.boards(), paths.roots(), paths.board_root("pi-01", "aa"))
    );
}

}  // namespace
}  // namespace bramble::store
