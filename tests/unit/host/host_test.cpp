// What every host promises, held by the real machine in a temporary directory and by the one made
// of memory alike.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct RealMachine {
    RealMachine() {
        char name[] = "/tmp/bramble-host-XXXXXX";
        top = ::mkdtemp(name);
    }

    ~RealMachine() { std::filesystem::remove_all(top); }

    RealHost host;
    Path top;
};

struct MemoryMachine {
    MemoryMachine() { host.put_directory(top); }

    MemoryHost host;
    Path top = "/tmp/machine";
};

template <typename Machine>
class HostTest : public testing::Test {
protected:
    std::vector<std::string> names(const Path& directory) {
        std::vector<std::string> found;
        const std::vector<DirectoryEntry> entries = host.list(directory).value();
        for (const DirectoryEntry& entry : entries) found.push_back(entry.name);
        return found;
    }

    Machine machine;
    Host& host = machine.host;
    Path top = machine.top;
};

using Machines = testing::Types<RealMachine, MemoryMachine>;
TYPED_TEST_SUITE(HostTest, Machines);

TYPED_TEST(HostTest, WhatWasWrittenIsReadAndLeavesNothingBeside) {
    ASSERT_TRUE(this->host.write_file(this->top / "a", "one", 0600));
    ASSERT_TRUE(this->host.write_file(this->top / "a", "two", 0444));
    EXPECT_EQ(this->host.read_file(this->top / "a").value(), "two");
    EXPECT_EQ(this->host.status(this->top / "a").value()->mode, 0444U);
    EXPECT_THAT(this->names(this->top), ElementsAre("a"));
}

TYPED_TEST(HostTest, AListingTellsWhatEachEntryIs) {
    ASSERT_TRUE(this->host.write_file(this->top / "a file", ""));
    ASSERT_TRUE(this->host.make_directories(this->top / "directory"));
    ASSERT_TRUE(this->host.replace_symlink("directory", this->top / "link"));
    const auto entries = this->host.list(this->top).value();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].kind, FileKind::regular);
    EXPECT_EQ(entries[1].kind, FileKind::directory);
    EXPECT_EQ(entries[2].kind, FileKind::symlink);
}

TEST(RealHostStatus, TheTimeOfTheLastChangeIsNotSetBackWithTheDate) {
    RealMachine machine;
    const Path path = machine.top / "a";
    ASSERT_TRUE(machine.host.write_file(path, "one", 0644));
    const auto date = std::filesystem::last_write_time(path) - std::chrono::hours(1);
    std::filesystem::last_write_time(path, date);
    const FileStatus before = machine.host.status(path).value().value();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a tick of the coarsest clock
    std::filesystem::last_write_time(path, date);
    const FileStatus after = machine.host.status(path).value().value();
    EXPECT_EQ(after.modified_ns, before.modified_ns);
    EXPECT_GT(after.changed_ns, before.changed_ns);
}

// Objects of one prefix are stored by several threads.
TEST(RealHostAtOnce, TwoMakeTheSameDirectories) {
    RealMachine machine;
    const auto make = [&] {
        for (int i = 0; i < 300; ++i) {
            const auto made = machine.host.make_directories_in(
                machine.top, Path(std::to_string(i)) / "a", 0755, {}, Sync::now
            );
            ASSERT_TRUE(made) << made.error().message;
        }
    };
    const std::jthread other(make);
    make();
}

TYPED_TEST(HostTest, NothingThereIsAnAnswerOfStatusAndAnErrorOfReading) {
    EXPECT_EQ(this->host.status(this->top / "none/deeper").value(), std::nullopt);
    const auto text = this->host.read_file(this->top / "none");
    ASSERT_FALSE(text);
    EXPECT_EQ(
        text.error().message,
        "cannot open '" + (this->top / "none").string() + "': No such file or directory"
    );
}

TYPED_TEST(HostTest, ReadingIsBounded) {
    ASSERT_TRUE(this->host.write_file(this->top / "a", "12345"));
    EXPECT_TRUE(this->host.read_file(this->top / "a", 5));
    EXPECT_FALSE(this->host.read_file(this->top / "a", 4));
}

TYPED_TEST(HostTest, ACopyCarriesTheSumOfItsBytesAndNeverReplaces) {
    ASSERT_TRUE(this->host.write_file(this->top / "a", "abc"));
    const auto copied = this->host.copy_file(this->top / "a", this->top / "b", 0444);
    ASSERT_TRUE(copied);
    EXPECT_EQ(*copied, (HashedFile{Digest::of("abc"), 3}));
    EXPECT_EQ(this->host.hash_file(this->top / "b").value(), *copied);
    EXPECT_FALSE(this->host.copy_file(this->top / "a", this->top / "b"));
}

TYPED_TEST(HostTest, ALinkIsReplacedAndFollowedByReadingOnly) {
    ASSERT_TRUE(this->host.make_directories(this->top / "gen/1"));
    ASSERT_TRUE(this->host.make_directories(this->top / "gen/2"));
    ASSERT_TRUE(this->host.write_file(this->top / "gen/1/m", "first"));
    ASSERT_TRUE(this->host.write_file(this->top / "gen/2/m", "second"));
    ASSERT_TRUE(this->host.replace_symlink("gen/1", this->top / "current"));
    EXPECT_EQ(this->host.read_file(this->top / "current/m").value(), "first");
    ASSERT_TRUE(this->host.replace_symlink("gen/2", this->top / "current"));
    EXPECT_EQ(this->host.read_file(this->top / "current/m").value(), "second");
    EXPECT_EQ(this->host.read_link(this->top / "current").value(), "gen/2");
    EXPECT_EQ(this->host.status(this->top / "current").value()->kind, FileKind::symlink);
    ASSERT_TRUE(this->host.remove_all(this->top / "current"));
    EXPECT_EQ(this->host.read_file(this->top / "gen/2/m").value(), "second");
}

TYPED_TEST(HostTest, ATreeIsMovedRemovedAndCopiedWhole) {
    ASSERT_TRUE(this->host.make_directories(this->top / "t/inner"));
    ASSERT_TRUE(this->host.write_file(this->top / "t/inner/f", "x", 0640));
    ASSERT_TRUE(this->host.replace_symlink("inner/f", this->top / "t/link"));
    ASSERT_TRUE(this->host.copy_tree(this->top / "t", this->top / "copy"));
    ASSERT_TRUE(this->host.sync_tree(this->top / "copy"));
    ASSERT_TRUE(this->host.rename(this->top / "t", this->top / "moved"));
    EXPECT_EQ(this->host.read_file(this->top / "moved/link").value(), "x");
    ASSERT_TRUE(this->host.remove_all(this->top / "moved"));
    EXPECT_EQ(this->host.read_file(this->top / "copy/link").value(), "x");
    EXPECT_EQ(this->host.status(this->top / "copy/inner/f").value()->mode, 0640U);
    EXPECT_FALSE(this->host.copy_tree(this->top / "copy", this->top / "copy"));
    EXPECT_TRUE(this->host.remove_all(this->top / "moved"));  // nothing there is fine
}

TYPED_TEST(HostTest, HardLinksAreKeptByACopy) {
    ASSERT_TRUE(this->host.make_directories(this->top / "t"));
    ASSERT_TRUE(this->host.write_file(this->top / "t/a", "x"));
    ASSERT_TRUE(this->host.hard_link(this->top / "t/a", this->top / "t/b"));
    ASSERT_TRUE(this->host.copy_tree(this->top / "t", this->top / "u"));
    EXPECT_EQ(this->host.read_file(this->top / "u/b").value(), "x");
}

// A board owns its root: an absolute link or ".." in it must not lead to the appliance's own files.
TYPED_TEST(HostTest, InsideATreeNoLinkLeadsOut) {
    const Path root = this->top / "root";
    const Path outside = this->top / "outside";
    ASSERT_TRUE(this->host.make_directories(root));
    ASSERT_TRUE(this->host.make_directories(outside));
    ASSERT_TRUE(this->host.write_file(outside / "hostname", "appliance"));
    ASSERT_TRUE(this->host.replace_symlink(outside, root / "etc"));
    const auto through_absolute = this->host.write_file_in(root, "/etc/hostname", "pi-01");
    ASSERT_TRUE(this->host.remove_in(root, "etc"));
    ASSERT_TRUE(this->host.replace_symlink("../../outside", root / "etc"));
    const auto through_dots = this->host.write_file_in(root, "/etc/hostname", "pi-01");
    EXPECT_EQ(this->host.read_file(outside / "hostname").value(), "appliance");
    EXPECT_FALSE(this->host.read_file_in(root, "etc/hostname"));
    EXPECT_THAT(this->names(outside), ElementsAre("hostname"));
    ASSERT_TRUE(this->host.remove_in(root, "etc"));
    EXPECT_EQ(this->host.read_file(outside / "hostname").value(), "appliance");
}

TYPED_TEST(HostTest, InsideATreeAFileThatIsALinkIsReplacedItself) {
    const Path root = this->top / "root";
    ASSERT_TRUE(this->host.make_directories(root));
    ASSERT_TRUE(this->host.write_file(this->top / "secret", "ours"));
    ASSERT_TRUE(this->host.symlink_in(root, "etc/machine-id", this->top / "secret"));
    EXPECT_EQ(this->host.status_in(root, "etc/machine-id").value()->kind, FileKind::symlink);
    EXPECT_FALSE(this->host.read_file_in(root, "etc/machine-id"));
    ASSERT_TRUE(this->host.write_file_in(root, "etc/machine-id", "board's", 0444));
    EXPECT_EQ(this->host.read_file(this->top / "secret").value(), "ours");
    EXPECT_EQ(this->host.read_file_in(root, "etc/machine-id").value(), "board's");
    EXPECT_EQ(this->host.list_in(root, "etc").value().size(), 1U);
}

TYPED_TEST(HostTest, InsideATreeMissingDirectoriesAreMade) {
    ASSERT_TRUE(this->host.write_file_in(this->top, "a/b/c/d", "deep"));
    EXPECT_EQ(this->host.read_file(this->top / "a/b/c/d").value(), "deep");
    ASSERT_TRUE(this->host.remove_in(this->top, "a/b"));
    EXPECT_EQ(this->host.status(this->top / "a/b").value(), std::nullopt);
}

TYPED_TEST(HostTest, TheLockIsHeldOnceAtATime) {
    {
        const auto held = this->host.lock(this->top / "lock");
        ASSERT_TRUE(held);
        const auto second = this->host.lock(this->top / "lock");
        ASSERT_FALSE(second);
        EXPECT_THAT(second.error().message, HasSubstr("is locked"));
    }
    EXPECT_TRUE(this->host.lock(this->top / "lock"));
}

TEST(RealHost, AFifoIsRefusedAtOnce) {
    RealMachine machine;
    ASSERT_EQ(::mkfifo((machine.top / "fifo").c_str(), 0600), 0);
    EXPECT_FALSE(machine.host.read_file(machine.top / "fifo", 10));
    EXPECT_FALSE(machine.host.read_file_in(machine.top, "fifo"));
    EXPECT_FALSE(machine.host.copy_file(machine.top / "fifo", machine.top / "copy", 0444));
    EXPECT_EQ(machine.host.status(machine.top / "fifo").value()->kind, FileKind::other);
}

TEST(RealHost, DirectoriesAreReadableWhateverTheUmask) {
    RealMachine machine;
    const mode_t before = ::umask(077);
    const auto made = machine.host.make_directories(machine.top / "a/b");
    ::umask(before);
    ASSERT_TRUE(made);
    EXPECT_EQ(machine.host.status(machine.top / "a").value()->mode, 0755U);
    EXPECT_EQ(machine.host.status(machine.top / "a/b").value()->mode, 0755U);
}

TEST(RealHost, ALeftoverOfAKilledWriteIsInNobodysWay) {
    RealMachine machine;
    std::ofstream(machine.top / ".a.bramble-new") << "half";
    ASSERT_TRUE(machine.host.write_file(machine.top / "a", "whole", 0644));
    EXPECT_EQ(machine.host.read_file(machine.top / "a", 10).value(), "whole");
    EXPECT_EQ(machine.host.list(machine.top).value().size(), 1U);
}

TEST(MemoryHost, FailsTheCallThatItWasTold) {
    MemoryMachine machine;
    machine.host.fail_call(1, MemoryHost::Fault::once);
    EXPECT_TRUE(machine.host.write_file(machine.top / "a", "1", 0644));
    EXPECT_FALSE(machine.host.write_file(machine.top / "b", "2", 0644));
    EXPECT_TRUE(machine.host.write_file(machine.top / "c", "3", 0644));
}

TEST(MemoryHost, APowerCutTakesWhatWasNotSynced) {
    MemoryMachine machine;
    machine.host.put_file(machine.top / "t/a", "a");
    ASSERT_TRUE(
        machine.host.copy_tree(machine.top / "t", machine.top / "synced", {}, Blocks::copied)
    );
    ASSERT_TRUE(machine.host.sync_tree(machine.top / "synced"));
    ASSERT_TRUE(machine.host.copy_tree(machine.top / "t", machine.top / "lost", {}, Blocks::copied)
    );
    machine.host.fail_call(0, MemoryHost::Fault::power_cut);
    EXPECT_FALSE(machine.host.status(machine.top));
    EXPECT_FALSE(machine.host.status(machine.top));
    machine.host.restart();
    EXPECT_EQ(machine.host.text_at(machine.top / "synced/a"), "a");
    EXPECT_EQ(machine.host.text_at(machine.top / "lost/a"), "");
}

// Names of one file count once, and what is no tree, too.
TYPED_TEST(HostTest, WhatATreeOccupies) {
    ASSERT_TRUE(this->host.make_directories(this->top / "tree/inside"));
    const auto empty = this->host.occupied_bytes(this->top / "tree");
    ASSERT_TRUE(empty) << empty.error().message;
    const std::string bytes(100'000, 'x');
    ASSERT_TRUE(this->host.write_file(this->top / "tree/inside/a", bytes, 0644));
    ASSERT_TRUE(this->host.hard_link(this->top / "tree/inside/a", this->top / "tree/inside/b"));
    const std::uint64_t more =
        this->host.occupied_bytes(this->top / "tree").value() - empty.value();
    EXPECT_GE(more, bytes.size());
    EXPECT_LT(more, 2 * bytes.size());
    EXPECT_GE(this->host.occupied_bytes(this->top / "tree/inside/a").value(), bytes.size());
}

TEST(RealHostSpace, HolesTakeNoneAndFreeSpaceIsKnownBeforeTheDirectoryIs) {
    RealMachine machine;
    std::ofstream(machine.top / "hole").close();
    std::filesystem::resize_file(machine.top / "hole", 1U << 30U);
    EXPECT_LT(machine.host.occupied_bytes(machine.top).value(), 1U << 20U);
    EXPECT_FALSE(machine.host.occupied_bytes(machine.top / "missing"));
    const auto free = machine.host.free_bytes(machine.top / "not/yet");
    ASSERT_TRUE(free);
    EXPECT_GT(*free, 0U);
}

}  // namespace
}  // namespace bramble::host
