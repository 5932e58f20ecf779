// Bases that boards share, on a filesystem that exports them only as mounts: mounted, mounted again
// after a restart, taken away; and bases come and go beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SharedRootsOnBtrfs : public testing::Test {
protected:
    SharedRootsOnBtrfs() {
        machine.filesystem = "btrfs";
        Changes changes = begin();
        for (const char* base : {"aa", "bb"}) adopt(changes, base);
        const auto object = changes.add_object("an initramfs", Readers::everyone);
        EXPECT_TRUE(object);
        initramfs = *object;
        const auto shared = changes.record_initramfs("aa", recipe, initramfs);
        EXPECT_TRUE(shared) << shared.error().message;
    }

    Changes begin() {
        auto changes = Changes::begin(machine, paths);
        EXPECT_TRUE(changes) << changes.error().message;
        return std::move(*changes);
    }

    void adopt(Changes& changes, const char* base) {
        const auto staged = changes.stage("image");
        ASSERT_TRUE(staged);
        machine.put_file(*staged / "etc/hostname", "base");
        const auto adopted = changes.adopt_root(*staged, base);
        ASSERT_TRUE(adopted) << adopted.error().message;
    }

    std::vector<Path> mounts() { return machine.mounts_below("/").value(); }

    // What lies in roots/.
    std::vector<std::string> bases() {
        const auto entries = machine.list(paths.roots()).value();
        std::vector<std::string> names;
        for (const host::DirectoryEntry& entry : entries) names.push_back(entry.name);
        return names;
    }

    host::MemoryHost machine;
    layout::StorePaths paths{"/var/lib/bramble"};
    Digest recipe = Digest::of("a recipe");
    layout::ObjectFile initramfs;
};

TEST_F(SharedRootsOnBtrfs, AreMounts) {
    EXPECT_THAT(mounts(), ElementsAre(paths.boards(), paths.roots(), paths.root("aa")));
}

TEST_F(SharedRootsOnBtrfs, NeedNoMountElsewhere) {
    host::MemoryHost other;
    other.filesystem = "ext4";
    other.put_file(paths.root("aa") / "etc/hostname", "base");
    auto changes = Changes::begin(other, paths);
    ASSERT_TRUE(changes);
    ASSERT_TRUE(changes->record_initramfs("aa", recipe, initramfs));
    EXPECT_THAT(other.mounts_below("/").value(), IsEmpty());
}

TEST_F(SharedRootsOnBtrfs, ComeBackAfterARestart) {
    machine.fail_call(0, host::MemoryHost::Fault::power_cut);
    EXPECT_FALSE(Changes::begin(machine, paths));
    machine.restart();
    EXPECT_THAT(mounts(), IsEmpty());
    for (int times = 0; times < 2; ++times) {
        EXPECT_THAT(begin().mount_problems(), IsEmpty());
        EXPECT_THAT(mounts(), ElementsAre(paths.boards(), paths.roots(), paths.root("aa")));
    }
    ASSERT_TRUE(begin().unmount_roots());
    EXPECT_THAT(mounts(), IsEmpty());
}

TEST_F(SharedRootsOnBtrfs, OneThatCannotBeMountedIsAProblemOfItsOwn) {
    ASSERT_TRUE(begin().unmount_roots());
    ASSERT_TRUE(machine.remove_all(paths.root("aa")));
    machine.put_file(paths.root("aa"), "no directory");
    EXPECT_THAT(
        begin().mount_problems(), ElementsAre(HasSubstr("the shared root aa is not mounted: "))
    );
}

// Unlike a shared one it stays what snapshots are made of.
TEST_F(SharedRootsOnBtrfs, OneThatIsSharedNoMoreIsABaseAsBefore) {
    Changes changes = begin();
    ASSERT_TRUE(changes.remove_initramfs("aa"));
    EXPECT_THAT(mounts(), ElementsAre(paths.boards(), paths.roots()));
    EXPECT_THAT(bases(), ElementsAre("aa", "bb"));
    ASSERT_TRUE(changes.stage_board_root("pi-01", "aa", {fleet::CopyOnWrite::btrfs}, {}));
}

// No rename leads out of a mount or into one.
TEST_F(SharedRootsOnBtrfs, BasesComeAndGoBesideThem) {
    Changes changes = begin();
    adopt(changes, "cc");
    ASSERT_TRUE(changes.remove_root("bb"));
    ASSERT_TRUE(changes.remove_root("aa"));
    EXPECT_THAT(bases(), ElementsAre("cc"));
    EXPECT_THAT(mounts(), ElementsAre(paths.boards(), paths.roots()));
}

TEST_F(SharedRootsOnBtrfs, WhatAKilledRunLeftBesideThemGoes) {
    machine.put_file(paths.roots() / ".base-7/etc/hostname", "half made");
    EXPECT_THAT(begin().store().inventory().value().roots, ElementsAre("aa", "bb"));
    EXPECT_THAT(bases(), ElementsAre("aa", "aa.initramfs", "bb"));
}

}  // namespace
}  // namespace bramble::store
