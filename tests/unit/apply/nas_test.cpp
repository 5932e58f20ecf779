// Roots on a NAS in memory: in which order things happen there and here, and what a failure at any
// of its calls leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "provisioning/apply/collect.hpp"
#include "provisioning/apply/nas_roots.hpp"
#include "tests/unit/apply/machine.hpp"

namespace bramble::apply {
namespace {

using host::Path;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The export's entries by path; a directory is a text of "/".
struct Disk {
    std::map<std::string, std::string> entries;
    std::vector<std::string> calls;
    std::size_t fails_at = 0;  // the n-th call that changes something; 0: none
    std::size_t changes = 0;

    Result<void> change(std::string call) {
        calls.push_back(std::move(call));
        if (++changes == fails_at) return fail("the NAS went away");
        return {};
    }

    void remove(const std::string& path) {
        std::erase_if(entries, [&](const auto& one) {
            return one.first == path || one.first.starts_with(path + "/");
        });
    }
};

class MemoryNas final : public nfs::Nas {
public:
    explicit MemoryNas(Disk& disk) : disk_(disk) {}

    Result<nfs::WriteReport> write_tree(
        const Path& from, const Path& to, const nfs::WriteOptions& options
    ) override {
        const std::string with = options.before ? " with " + options.before->there.string() : "";
        if (auto may = disk_.change("write " + to.string() + with); !may)
            return tl::unexpected(may.error());
        disk_.entries[to.string()] = "/";
        disk_.entries[(to / "from").string()] = from.filename().string();
        nfs::WriteReport report;
        report.entries = report.made = 2;
        report.lost =
            "1 file has extended attributes, which NFS version 3 cannot hold: usr/bin/ping";
        return report;
    }

    Result<std::optional<nfs::NasStatus>> status(const Path& root, const Path& relative) override {
        const auto there = disk_.entries.find(at(root, relative));
        if (there == disk_.entries.end()) return std::optional<nfs::NasStatus>();
        nfs::NasStatus status;
        status.kind = there->second == "/" ? nfs::NasKind::directory : nfs::NasKind::file;
        return std::optional(status);
    }

    Result<std::string> read_file(const Path& root, const Path& relative) override {
        const auto there = disk_.entries.find(at(root, relative));
        if (there == disk_.entries.end()) return fail("no such file");
        return there->second;
    }

    Result<std::vector<std::pair<std::string, nfs::NasKind>>> list(
        const Path& root, const Path& relative
    ) override {
        std::vector<std::pair<std::string, nfs::NasKind>> names;
        const std::string prefix = at(root, relative) + "/";
        for (const auto& [path, text] : disk_.entries) {
            if (!path.starts_with(prefix)) continue;
            const std::string rest = path.substr(prefix.size());
            if (rest.find('/') != std::string::npos) continue;
            names.emplace_back(rest, text == "/" ? nfs::NasKind::directory : nfs::NasKind::file);
        }
        return names;
    }

    Result<void>
    write_file(const Path& root, const Path& relative, std::string_view bytes, const nfs::NasStatus&)
        override {
        return disk_.change("file " + at(root, relative)).map([&] {
            disk_.entries[at(root, relative)] = std::string(bytes);
        });
    }

    Result<bool> create_file(const std::string& name, std::string_view bytes, const nfs::NasStatus&)
        override {
        return disk_.change("create " + name).map([&] {
            return disk_.entries.emplace(name, std::string(bytes)).second;
        });
    }

    Result<void> make_directories(const Path& root, const Path& relative, const nfs::NasStatus&)
        override {
        return disk_.change("directory " + at(root, relative)).map([&] {
            disk_.entries[at(root, relative)] = "/";
        });
    }

    Result<void> symlink(const Path& root, const Path& relative, const Path& target) override {
        return disk_.change("link " + at(root, relative)).map([&] {
            disk_.entries[at(root, relative)] = "-> " + target.string();
        });
    }

    Result<void> remove(const Path& root, const Path& relative) override {
        return disk_.change("remove " + at(root, relative)).map([&] {
            disk_.remove(at(root, relative));
        });
    }

    Result<void> rename(const Path& from, const Path& to) override {
        return disk_.change("rename " + to.string()).map([&] {
            std::map<std::string, std::string> moved;
            for (const auto& [path, text] : disk_.entries) {
                const bool of = path == from.string() || path.starts_with(from.string() + "/");
                if (of) moved[to.string() + path.substr(from.string().size())] = text;
            }
            disk_.remove(from.string());
            disk_.entries.merge(moved);
        });
    }

private:
    static std::string at(const Path& root, const Path& relative) {
        return (root / relative.relative_path()).lexically_normal().string();
    }

    Disk& disk_;
};

class NasApply : public testing::Test {
protected:
    NasApply() {
        furnish(machine);
        fleet.appliance.nfs = fleet::NfsExternal{"nas", "/volume1/bramble"};
        options.open_nas =
            [this](const std::string& server, const Path& path, const nfs::NasPatience&)
            -> Result<std::unique_ptr<nfs::Nas>> {
            opened.push_back(server + ":" + path.string());
            return std::make_unique<MemoryNas>(disk);
        };
    }

    // Paths on the NAS that are a board's root or half of one.
    std::vector<std::string> trees() const {
        std::vector<std::string> found;
        for (const auto& [path, text] : disk.entries) {
            if (Path(path).parent_path().parent_path() == "boards") found.push_back(path);
        }
        return found;
    }

    Result<Collected> gc() {
        CollectOptions with;
        with.keep = 1;
        with.uses = [] { return std::map<std::uint64_t, plan::GenerationUse>(); };
        with.open_nas = options.open_nas;
        return collect(fleet, with, machine);
    }

    // The first board's, on the export.
    Path tree_now() {
        const auto current =
            store::Store(machine, layout::StorePaths(fleet.appliance.store)).current();
        return (*current)->boards.front().root->path.lexically_relative("/volume1/bramble");
    }

    host::MemoryHost machine;
    fleet::Fleet fleet = small_fleet();
    Options options;
    Disk disk;
    std::vector<std::string> opened;
};

TEST_F(NasApply, ARootIsWrittenAsideRenamedAndOnlyThenPublished) {
    const auto outcome = run(fleet, options, machine);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->generation, 1U);
    const auto current = store::Store(machine, layout::StorePaths(fleet.appliance.store)).current();
    for (const layout::BoardEntry& board : (*current)->boards) {
        EXPECT_EQ(board.root->server, "nas");
        const std::string there = board.root->path.lexically_relative("/volume1/bramble").string();
        EXPECT_EQ(disk.entries.at(there + "/etc/hostname"), board.name + "\n");
        const std::string aside =
            "boards/" + board.name + "/.new." + board.root->path.filename().string();
        const auto written = std::find(disk.calls.begin(), disk.calls.end(), "write " + aside);
        const auto renamed = std::find(disk.calls.begin(), disk.calls.end(), "rename " + there);
        ASSERT_NE(renamed, disk.calls.end());
        EXPECT_LT(written, renamed);
        EXPECT_THAT(
            std::vector<std::string>(renamed + 1, disk.calls.end()),
            Not(Contains(HasSubstr("file " + there)))
        ) << "its identity is in it before it has its name";
    }
    EXPECT_THAT(outcome->warnings, Contains(HasSubstr("on nas:/volume1/bramble: 1 file has")));
}

TEST_F(NasApply, TheSecondRunOpensNoConnection) {
    ASSERT_TRUE(run(fleet, options, machine));
    opened.clear();
    const auto again = run(fleet, options, machine);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_FALSE(again->changed);
    EXPECT_THAT(opened, IsEmpty());
}

TEST_F(NasApply, ASharedRootIsOneTreeAndTheNextOneKnowsIt) {
    furnish_shared(machine);
    fleet.profiles[0].root.mode = fleet::RootMode::shared;
    const auto outcome = run(fleet, options, machine);
    ASSERT_TRUE(outcome) << outcome.error().message;
    const store::Store store(machine, layout::StorePaths(fleet.appliance.store));
    const auto path_now = [&] {
        return store.current()->value().boards.front().root->path.lexically_relative(
            "/volume1/bramble"
        );
    };
    const Path first = path_now();
    EXPECT_THAT(disk.calls, Contains("write roots/.new." + first.filename().string()));
    EXPECT_THAT(disk.calls, Contains("rename " + first.string()));
    EXPECT_TRUE(disk.entries.contains(first.string()));
    machine.put_file("/src/root/etc/motd", "another base");
    ASSERT_TRUE(run(fleet, options, machine));
    EXPECT_NE(path_now(), first);
    EXPECT_THAT(
        disk.calls,
        Contains("write roots/.new." + path_now().filename().string() + " with " + first.string())
    );
    opened.clear();
    ASSERT_TRUE(run(fleet, options, machine));
    EXPECT_THAT(opened, IsEmpty());
}

TEST_F(NasApply, ADirectoryOfAnotherStoreIsNotTouched) {
    ASSERT_TRUE(run(fleet, options, machine));
    disk.entries[".bramble-owner"] = "0123 /srv/other\n";
    const auto before = disk.entries;
    machine.put_file("/src/root/etc/motd", "another base");
    const auto refused = run(fleet, options, machine);
    ASSERT_FALSE(refused);
    EXPECT_THAT(
        refused.error().message,
        HasSubstr("nas:/volume1/bramble is used by another Bramble: its file .bramble-owner says "
                  "'0123 /srv/other'")
    );
    EXPECT_EQ(disk.entries, before);
    disk.entries.erase(".bramble-owner");
    const auto again = run(fleet, options, machine);
    ASSERT_TRUE(again) << again.error().message;
    disk.entries[".bramble-owner"] = "";  // killed before it wrote
    machine.put_file("/src/root/etc/motd", "one more");
    ASSERT_TRUE(run(fleet, options, machine));
    EXPECT_THAT(disk.entries[".bramble-owner"], HasSubstr(fleet.appliance.store.string()));
}

TEST_F(NasApply, AnotherNasGetsItsOwnTrees) {
    ASSERT_TRUE(run(fleet, options, machine));
    fleet.appliance.nfs = fleet::NfsExternal{"other", "/export"};
    disk = {};
    opened.clear();
    const auto moved = run(fleet, options, machine);
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_TRUE(moved->changed);
    EXPECT_THAT(opened, Contains("other:/export"));
    EXPECT_FALSE(trees().empty());
}

TEST_F(NasApply, ATreeThatIsBeingTakenAwayIsNotCountedOn) {
    machine.put_file("/src/root/etc/motd", "one");
    ASSERT_TRUE(run(fleet, options, machine));
    const Path first = tree_now();
    machine.put_file("/src/root/etc/motd", "the second");
    ASSERT_TRUE(run(fleet, options, machine));
    disk.fails_at = disk.changes + 3;  // after the one that takes the tree's name away
    const auto stopped = gc();
    ASSERT_FALSE(stopped);
    EXPECT_THAT(stopped.error().message, HasSubstr(first.string() + ".nas' names it"));
    EXPECT_FALSE(disk.entries.contains(first.string()));
    machine.put_file("/src/root/etc/motd", "one");
    const auto again = run(fleet, options, machine);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(tree_now(), first);
    EXPECT_TRUE(disk.entries.contains(first.string() + "/from")) << "it is written anew";
}

TEST_F(NasApply, WhatWasBeingTakenAwayIsFoundByTheNextGc) {
    ASSERT_TRUE(run(fleet, options, machine));
    machine.put_file("/src/root/etc/motd", "two");
    ASSERT_TRUE(run(fleet, options, machine));
    disk.fails_at = disk.changes + 3;
    ASSERT_FALSE(gc());
    EXPECT_THAT(trees(), Contains(HasSubstr("/.gone.")));
    const auto done = gc();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_THAT(trees(), Not(Contains(HasSubstr("/.gone."))));
    EXPECT_TRUE(disk.entries.contains(tree_now().string()));
}

TEST_F(NasApply, ANasThatWasRetiredHoldsUpNoGc) {
    ASSERT_TRUE(run(fleet, options, machine));
    fleet.appliance.nfs = fleet::NfsExternal{"other", "/volume1/bramble"};
    disk = {};
    machine.put_file("/src/root/etc/motd", "two");
    ASSERT_TRUE(run(fleet, options, machine));
    options.open_nas = [this](const std::string& server, const Path&, const nfs::NasPatience&)
        -> Result<std::unique_ptr<nfs::Nas>> {
        if (server == "nas") return fail("nobody answers at nas");
        return std::make_unique<MemoryNas>(disk);
    };
    const auto done = gc();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_FALSE(done->gone.board_trees.empty());
    EXPECT_THAT(
        done->warnings,
        testing::ElementsAre(HasSubstr(
            "nas:/volume1/bramble is not the fleet's NAS any more and cannot be cleaned: nobody "
            "answers at nas"
        ))
    );
}

TEST_F(NasApply, AFailureAtEachCallLeavesNothingHalfUnderAName) {
    for (std::size_t n = 1;; ++n) {
        ASSERT_LT(n, 1000U);
        SCOPED_TRACE(n);
        host::MemoryHost fresh;
        furnish(fresh);
        disk = {};
        disk.fails_at = n;
        const auto outcome = run(fleet, options, fresh);
        const auto current =
            store::Store(fresh, layout::StorePaths(fleet.appliance.store)).current();
        ASSERT_TRUE(current);
        if (outcome) {
            EXPECT_GT(n, disk.changes);
            break;
        }
        EXPECT_THAT(outcome.error().message, HasSubstr("the NAS went away"));
        EXPECT_FALSE(current->has_value()) << "nothing is published";
        for (const std::string& tree : trees()) {
            if (Path(tree).filename().string().starts_with(".")) continue;
            EXPECT_TRUE(disk.entries.contains(tree + "/etc/hostname")) << tree;
        }
        disk.fails_at = 0;
        const auto again = run(fleet, options, fresh);
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(again->generation, 1U);
        for (const std::string& tree : trees()) EXPECT_THAT(tree, Not(HasSubstr("/.")));
    }
}

TEST_F(NasApply, BackOnThisMachineRootsAreMadeHere) {
    ASSERT_TRUE(run(fleet, options, machine));
    fleet.appliance.nfs = fleet::NfsAuto{};
    const layout::StorePaths paths(fleet.appliance.store);
    const auto seen = observe(fleet, paths, machine);
    ASSERT_TRUE(seen) << seen.error().message;
    EXPECT_THAT(seen->board_roots, IsEmpty());
}

}  // namespace
}  // namespace bramble::apply
