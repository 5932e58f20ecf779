// What a board changed, on real directories: every kind of change, and none where there is none.
#include "provisioning/host/tree_difference.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "provisioning/host/real_host.hpp"
#include "provisioning/host/tree_archive.hpp"

namespace bramble::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Trees : public testing::Test {
protected:
    Trees() {
        std::string name =
            (std::filesystem::temp_directory_path() / "bramble-trees-XXXXXX").string();
        top = ::mkdtemp(name.data());
        base = top / "base";
        tree = top / "tree";
        write(base / "etc/motd", "the base's\n");
        write(base / "etc/other", "stays\n");
        write(base / "usr/bin/su", "ELF");
        ::chmod((base / "usr/bin/su").c_str(), 04755);
        std::filesystem::create_symlink("bin/su", base / "usr/su");
        std::filesystem::create_hard_link(base / "etc/other", base / "etc/same");
        EXPECT_TRUE(host.copy_tree(base, tree, {}, Blocks::shared_if_possible));
    }

    ~Trees() override {
        EXPECT_TRUE(host.unmount(top / "merged"));
        std::filesystem::remove_all(top);
    }

    static void write(const Path& path, std::string_view text) {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }

    std::vector<std::string> changes(bool every_byte = false) {
        DifferenceWish wish{base, tree, upper, every_byte};
        const auto found = tree_difference(wish);
        EXPECT_TRUE(found) << found.error().message;
        std::vector<std::string> text;
        if (!found) return text;
        for (const TreeChange& change : *found) {
            text.push_back(std::string(to_string(change.change)) + " " + change.path);
        }
        return text;
    }

    // A board at work in `tree`.
    void change_much() {
        write(tree / "etc/motd", "a board's\n");
        write(tree / "home/pi/notes", "new");
        std::filesystem::remove(tree / "usr/su");
        std::filesystem::create_symlink("elsewhere", tree / "usr/su");
        ::chmod((tree / "usr/bin/su").c_str(), 0755);
        std::filesystem::remove(tree / "etc/same");
    }

    static auto much() {
        return ElementsAre(
            "changed etc/motd",
            "removed etc/same",
            "added home",
            "added home/pi",
            "added home/pi/notes",
            "metadata usr/bin/su",
            "changed usr/su"
        );
    }

    RealHost host;
    Path top, base, tree;
    std::optional<Path> upper;
};

TEST_F(Trees, ACopyIsTheSame) {
    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_THAT(changes(true), IsEmpty());
}

TEST_F(Trees, EveryKindOfChangeIsTold) {
    change_much();
    EXPECT_THAT(changes(), much());
}

TEST_F(Trees, AnOverlaysChangesAreFoundByItsUpperDirectory) {
    const auto problem = host.overlay_problem(top);
    if (::geteuid() != 0 || !problem.empty()) GTEST_SKIP() << "no overlays here: " << problem;
    for (const char* part : {"upper", "work", "merged"})
        std::filesystem::create_directory(top / part);
    ASSERT_TRUE(host.mount_overlay({base, top / "upper", top / "work"}, top / "merged"));
    tree = top / "merged";
    upper = top / "upper";
    EXPECT_THAT(changes(), IsEmpty());
    change_much();
    EXPECT_THAT(changes(), much());
    // A directory of the base that went and came again, and one that was renamed.
    std::filesystem::remove_all(tree / "etc");
    write(tree / "etc/fresh", "x");
    std::filesystem::rename(tree / "usr", tree / "moved");
    EXPECT_THAT(
        changes(),
        ElementsAre(
            "added etc/fresh",
            "removed etc/motd",
            "removed etc/other",
            "removed etc/same",
            "added home",
            "added home/pi",
            "added home/pi/notes",
            "added moved",
            "added moved/bin",
            "added moved/bin/su",
            "added moved/su",
            "removed usr"
        )
    );
}

TEST_F(Trees, AFileOfAnotherKindIsReplacedAndLinksAreNotFollowed) {
    std::filesystem::remove(tree / "etc/motd");
    std::filesystem::create_directory(tree / "etc/motd");
    std::filesystem::remove_all(tree / "usr");
    std::filesystem::create_symlink("/", tree / "usr");
    EXPECT_THAT(changes(), ElementsAre("replaced etc/motd", "replaced usr"));
}

TEST_F(Trees, SameSizeAndTimeIsTheSameUnlessEveryByteIsRead) {
    struct stat before {};

    ASSERT_EQ(::stat((tree / "etc/motd").c_str(), &before), 0);
    write(tree / "etc/motd", "the bose's\n");
    const timespec times[] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, (tree / "etc/motd").c_str(), times, 0), 0);
    EXPECT_THAT(changes(), IsEmpty());
    EXPECT_THAT(changes(true), ElementsAre("changed etc/motd"));
}

TEST_F(Trees, AttributesCount) {
    ASSERT_EQ(::setxattr((tree / "usr/bin/su").c_str(), "user.note", "x", 1, 0), 0);
    EXPECT_THAT(changes(), ElementsAre("metadata usr/bin/su"));
}

TEST_F(Trees, DeeperThanTheBoundIsAnErrorAndNoCrash) {
    Path deep = tree;
    for (int i = 0; i < difference_depth_max + 2; ++i) deep /= "d";
    std::filesystem::create_directories(deep);
    const auto found = tree_difference({base, tree, std::nullopt, false});
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().message.find("nested deeper than 256"), std::string::npos);
}

class Carrying : public Trees {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "chroot needs root";
    }
};

// All that a tree can hold arrives: what was carried over differs in nothing from where it was.
TEST_F(Carrying, WhatIsCarriedOverArrivesWhole) {
    write(tree / "home/pi/a", "one");
    std::filesystem::create_hard_link(tree / "home/pi/a", tree / "home/pi/b");
    std::filesystem::create_symlink("/etc/shadow", tree / "home/pi/link");
    ASSERT_EQ(::mkfifo((tree / "home/pi/fifo").c_str(), 0620), 0);
    ASSERT_EQ(::mknod((tree / "home/pi/null").c_str(), S_IFCHR | 0666, 0x103), 0);
    ASSERT_EQ(::chown((tree / "home/pi").c_str(), 70000, 100001), 0);
    ASSERT_EQ(::setxattr((tree / "home/pi/a").c_str(), "user.note", "x", 1, 0), 0);
    std::filesystem::resize_file(tree / "home/pi/b", 10'000'000);
    write(base / "home/pi/older", "goes");
    const auto carried = carry_over(host, tree, base, "/home/pi");
    ASSERT_TRUE(carried) << carried.error().message;
    EXPECT_TRUE(*carried);
    const auto left = tree_difference({base / "home/pi", tree / "home/pi", std::nullopt, true});
    ASSERT_TRUE(left);
    EXPECT_THAT(*left, IsEmpty());
    EXPECT_EQ(std::filesystem::hard_link_count(base / "home/pi/a"), 2U);

    struct stat sparse {};

    ASSERT_EQ(::stat((base / "home/pi/a").c_str(), &sparse), 0);
    EXPECT_LT(sparse.st_blocks * 512, 1'000'000);
}

TEST_F(Carrying, NothingThereIsNothingCarried) {
    const auto carried = carry_over(host, tree, base, "/home/none");
    ASSERT_TRUE(carried);
    EXPECT_FALSE(*carried);
    EXPECT_THAT(changes(), IsEmpty());
}

// A board owns its tree: a link there leads to no file of the machine.
TEST_F(Carrying, ALinkOnTheWayLeadsNowhereOutside) {
    write(top / "secret/pi/key", "the machine's");
    std::filesystem::create_symlink(top / "secret", tree / "home");
    const auto carried = carry_over(host, tree, base, "/home/pi");
    ASSERT_TRUE(carried);
    EXPECT_FALSE(*carried);
    EXPECT_FALSE(std::filesystem::exists(base / "home/pi"));
}

TEST_F(Carrying, AnArchiveHoldsTheTreeButWhatIsLeftOut) {
    write(tree / "etc/machine-id", "secret");
    write(top / "kernel", "boot");
    const auto report = write_archive(
        {tree,
         "root/",
         [](std::string_view path) { return path == "etc/machine-id"; },
         {{"boot/kernel8.img", top / "kernel"}},
         {}},
        top / "one.tar.zst"
    );
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_THAT(report->left_out, IsEmpty());
    EXPECT_FALSE(write_archive({tree, "", {}, {}, {}}, top / "one.tar.zst")) << "it exists";
    std::filesystem::create_directory(top / "out");
    const auto unpacked = run_or_fail(
        host, {.argv = {"tar", "-C", (top / "out").string(), "-xf", (top / "one.tar.zst").string()}}
    );
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    EXPECT_TRUE(std::filesystem::exists(top / "out/boot/kernel8.img"));
    std::filesystem::remove(tree / "etc/machine-id");
    const auto left = tree_difference({tree, top / "out/root", std::nullopt, true});
    ASSERT_TRUE(left);
    EXPECT_THAT(*left, IsEmpty());
}

}  // namespace
}  // namespace bramble::host
