// Applies of a part: --only, and what is left of a run with --keep-going.
#include "machine.hpp"

namespace bramble::apply {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A second image and profile, and a board of it.
class Partial : public Apply {
protected:
    Partial() {
        fleet::Image image = fleet.images[0];
        image.name = "other";
        image.source = fleet::DirectorySource{"/other/boot", "/src/root"};
        fleet.images.push_back(image);
        fleet::Profile profile = fleet.profiles[0];
        profile.name = "second";
        profile.image = "other";
        fleet.profiles.push_back(profile);
        fleet.boards[1].profile = "second";
        for (const char* name : {"start4.elf", "fixup4.dat", "kernel8.img"}) {
            machine.put_file(host::Path("/other/boot") / name, std::string("other ") + name);
        }
    }

    Result<Outcome> apply_only(std::set<std::string> only, bool keep_going = false) {
        events.clear();
        Options options;
        options.on_event = [this](const Event& event) { events.push_back(render(event)); };
        options.only = std::move(only);
        options.keep_going = keep_going;
        return run(fleet, options, machine);
    }

    Result<Outcome> keep_going() { return apply_only({}, true); }

    std::string text_of(const char* board, const char* file) {
        const auto manifest = current();
        const auto* found = manifest.find_file(*manifest.find_board(board), file);
        return found == nullptr ? "<missing>" : std::get<layout::TextFile>(*found).text;
    }
};

TEST_F(Partial, OnlyOneBoardsPartIsMadeAndPublished) {
    const auto first = apply_only({"pi-01"});
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_THAT(events, Not(testing::Contains(HasSubstr("other"))));
    EXPECT_THAT(current().boards, testing::SizeIs(1));
    EXPECT_EQ(current().fleet, Digest()) << "the rest is still due";
    ASSERT_TRUE(apply());
    EXPECT_THAT(current().boards, testing::SizeIs(2));
}

TEST_F(Partial, TheOthersKeepWhatTheyHaveToTheByte) {
    ASSERT_TRUE(apply());
    const layout::Manifest before = current();
    machine.advance(std::chrono::seconds(5));
    machine.put_file("/src/root/etc/motd", "new");
    fleet.profiles[0].cmdline = fleet.profiles[1].cmdline = {"console=ttyS0"};
    machine.put_file("/other/boot/kernel8.img", "newer");
    const auto outcome = apply_only({"pi-01"});
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->changed);
    const layout::Manifest after = current();
    EXPECT_EQ(*after.find_board("pi-02"), *before.find_board("pi-02"));
    EXPECT_EQ(after.trees.at("second"), before.trees.at("second"));
    EXPECT_THAT(text_of("pi-01", "cmdline.txt"), HasSubstr("console=ttyS0"));
    EXPECT_EQ(after.fleet, before.fleet) << "the rest is still due";
    EXPECT_THAT(
        machine.text_at(paths.nfs() / "ganesha.conf"),
        HasSubstr(before.find_board("pi-02")->root->path.string())
    );
    const auto again = apply_only({"pi-01"});
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->changed);
    ASSERT_TRUE(apply());
    EXPECT_THAT(text_of("pi-02", "cmdline.txt"), HasSubstr("console=ttyS0"));
}

// Boards of one profile: the held one's tree goes by a name of its own.
TEST_F(Partial, AProfilesTreeIsKeptForWhoKeepsIt) {
    fleet.boards[1].profile = "lab";
    ASSERT_TRUE(apply());
    const layout::BootTree before = current().trees.at("lab");
    machine.advance(std::chrono::seconds(5));
    machine.put_file("/src/boot/kernel8.img", "newer");
    ASSERT_TRUE(apply_only({"pi-01"}));
    const layout::Manifest after = current();
    EXPECT_EQ(after.find_board("pi-02")->tree, "lab@1");
    EXPECT_EQ(after.trees.at("lab@1"), before);
    EXPECT_NE(after.trees.at("lab"), before);
    EXPECT_EQ(after.find_board("pi-02")->profile, "lab");
    ASSERT_TRUE(apply());
    EXPECT_EQ(current().find_board("pi-02")->tree, "lab");
    EXPECT_FALSE(current().trees.contains("lab@1"));
}

TEST_F(Partial, ABoardThatNobodyKnows) {
    const auto outcome = apply_only({"pi-1"});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(
        outcome.error().message,
        "--only: the fleet file has no board 'pi-1' (did you mean 'pi-01'?)"
    );
    EXPECT_FALSE(machine.exists("/var/lib/bramble"));
}

// What two boards would both be on the wire is not published.
TEST_F(Partial, ASerialThatWanders) {
    ASSERT_TRUE(apply());
    std::swap(fleet.boards[0].serial, fleet.boards[1].serial);
    const auto outcome = apply_only({"pi-01"});
    ASSERT_FALSE(outcome);
    EXPECT_THAT(
        outcome.error().message,
        HasSubstr("board 'pi-02' keeps what it had, and its serial 5b154512 is to be that of board "
                  "'pi-01': apply both together")
    );
}

TEST_F(Partial, AFailureStopsOnlyWhatDependsOnIt) {
    machine.put_symlink("/other/boot/dangling", "nowhere");  // an ingest of it fails
    const auto outcome = keep_going();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->changed);
    ASSERT_THAT(outcome->failures, testing::SizeIs(1));
    EXPECT_THAT(outcome->failures[0], testing::StartsWith("ingest image other: "));
    EXPECT_THAT(outcome->held, ElementsAre("pi-02"));
    EXPECT_THAT(
        events, testing::Contains(testing::StartsWith("[2/6] ingest image other failed: "))
    );
    EXPECT_THAT(
        events, testing::Contains("[4/6] copy root pi-02 left out: ingest image other failed")
    );
    EXPECT_THAT(current().boards, testing::SizeIs(1));
    EXPECT_EQ(root_of("pi-01", "etc/hostname"), "pi-01\n");
    ASSERT_TRUE(machine.remove_all("/other/boot/dangling"));
    const auto mended = keep_going();
    ASSERT_TRUE(mended);
    EXPECT_THAT(mended->failures, IsEmpty());
    EXPECT_EQ(root_of("pi-02", "etc/hostname"), "pi-02\n");
}

TEST_F(Partial, BoardsThatItTouchesKeepWhatTheyHave) {
    ASSERT_TRUE(apply());
    const layout::Manifest before = current();
    machine.advance(std::chrono::seconds(5));
    machine.put_symlink("/other/boot/dangling", "nowhere");
    fleet.profiles[0].cmdline = fleet.profiles[1].cmdline = {"console=ttyS0"};
    const auto outcome = keep_going();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_THAT(outcome->held, ElementsAre("pi-02"));
    EXPECT_EQ(*current().find_board("pi-02"), *before.find_board("pi-02"));
    EXPECT_EQ(current().trees.at("second"), before.trees.at("second"));
    EXPECT_THAT(text_of("pi-01", "cmdline.txt"), HasSubstr("console=ttyS0"));
    const auto without = apply();
    ASSERT_FALSE(without) << "who does not ask to go on is stopped";
    EXPECT_THAT(without.error().message, HasSubstr("run apply again to go on from there"));
}

// The plan has one step for equal bytes and names one of the paths.
TEST_F(Partial, WhoeverNeedsTheSameBytesKeepsWhatItHas) {
    ASSERT_TRUE(apply());
    const layout::Manifest before = current();
    machine.put_file("/files/a", "same");
    machine.put_file("/files/b", "same");
    fleet.profiles[0].boot_files["extra.bin"] = "/files/a";
    fleet.profiles[1].boot_files["extra.bin"] = "/files/b";
    Options options;
    options.keep_going = true;
    options.on_event = [&](const Event& event) {
        if (event.kind != EventKind::started || !event.name.starts_with("store file")) return;
        machine.put_file("/files/a", "other");
        machine.put_file("/files/b", "other");
    };
    const auto outcome = run(fleet, options, machine);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_THAT(outcome->failures, testing::SizeIs(1));
    EXPECT_THAT(outcome->held, ElementsAre("pi-01", "pi-02"));
    EXPECT_EQ(current().boards, before.boards);
}

// A board that was told of a root which nobody exports would hang at it.
TEST_F(Partial, WhatCouldNotBeExportedIsNotPublishedEither) {
    ASSERT_TRUE(apply());
    const layout::Manifest before = current();
    ASSERT_TRUE(machine.remove_all(paths.nfs()));
    machine.put_file(paths.nfs(), "in the way");
    fleet.boards.pop_back();
    machine.put_file("/src/root/etc/motd", "new");
    machine.put_file("/src/boot/kernel8.img", "newer");
    const auto outcome = keep_going();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("export roots of 1 board: "));
    EXPECT_EQ(current().generation, before.generation);
}

}  // namespace
}  // namespace bramble::apply
