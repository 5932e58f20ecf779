// The way back: the same rename, and nothing that would leave boards without what they need.
#include "provisioning/apply/rollback.hpp"

#include "machine.hpp"
#include "provisioning/apply/board_root.hpp"

namespace bramble::apply {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Rollback : public Apply {
protected:
    // Generation 1 of the fleet as it is, 2 of another base, kernel and address.
    Rollback() {
        EXPECT_TRUE(apply());
        first = current();
        machine.advance(std::chrono::seconds(5));
        machine.put_file("/src/root/etc/motd", "second base");
        machine.put_file("/src/boot/kernel8.img", "second kernel");
        fleet.sources[0].text = "version: 1 # second\n";
        fleet.boards[0].address = Ipv4Address::parse("172.16.1.77").value();
        EXPECT_TRUE(apply());
        second = current();
    }

    auto back(std::optional<std::uint64_t> number = {}) {
        return roll_back(fleet, number, machine);
    }

    std::string exports() { return machine.text_at(paths.nfs() / "ganesha.conf"); }

    layout::Manifest first, second;
};

TEST_F(Rollback, TheOneBeforeIsCurrentAgainAsItWas) {
    const auto done = back();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(done->generation, 1U);
    EXPECT_EQ(done->from, 2U);
    EXPECT_TRUE(done->changed);
    EXPECT_FALSE(done->as_fleet);
    EXPECT_THAT(done->warnings, IsEmpty());
    EXPECT_EQ(current(), first);
    EXPECT_EQ(
        paths.board("pi-01") / machine.read_link(paths.board_root("pi-01")).value(),
        first.find_board("pi-01")->root->path
    );
}

TEST_F(Rollback, ItsRootsAreExportedToItsAddressesAndThoseThatRunKeepTheirs) {
    ASSERT_TRUE(back());
    for (const layout::Manifest* manifest : {&first, &second}) {
        const layout::BoardEntry& board = *manifest->find_board("pi-01");
        EXPECT_THAT(exports(), HasSubstr("Path = \"" + board.root->path.string()));
        EXPECT_THAT(exports(), HasSubstr("Clients = " + board.address->to_string() + ";"));
    }
}

TEST_F(Rollback, ABoardThatTheFleetNoLongerHasGetsItsExportBack) {
    fleet.boards.pop_back();
    ASSERT_TRUE(apply());
    EXPECT_THAT(exports(), testing::Not(HasSubstr("boards/pi-02/")));
    ASSERT_TRUE(back(2));
    EXPECT_THAT(exports(), HasSubstr("boards/pi-02/"));
}

TEST_F(Rollback, ForwardAgainIsTheSameCommand) {
    ASSERT_TRUE(back(1));
    const auto done = back(2);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(done->as_fleet);
    EXPECT_EQ(current(), second);
    const auto again = back(2);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->changed);
}

TEST_F(Rollback, TheNextApplyPublishesWhatTheFleetFileSaysUnderANewNumber) {
    ASSERT_TRUE(back(1));
    const auto outcome = apply();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->generation, 3U);
    EXPECT_EQ(current().boards, second.boards);
}

TEST_F(Rollback, RefusesANumberThatIsNotThere) {
    const auto done = back(7);
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().refused);
    EXPECT_EQ(
        done.error().message,
        "there is no generation 7; there is 1, 2 (`bramble generations` tells them apart)"
    );
    ASSERT_TRUE(back(1));
    const auto older = back();
    ASSERT_FALSE(older);
    EXPECT_TRUE(older.error().refused);
    EXPECT_THAT(older.error().message, HasSubstr("generation 1 is the oldest one"));
}

TEST_F(Rollback, RefusesWhereNothingWasEverPublished) {
    fleet.appliance.store = "/var/lib/other";
    const auto done = back();
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().refused);
}

TEST_F(Rollback, RefusesWhenAnObjectIsMissingOrCut) {
    const auto kernel = std::get<layout::ObjectFile>(first.trees.at("lab").at("kernel8.img"));
    for (const bool missing : {false, true}) {
        if (missing) {
            ASSERT_TRUE(machine.remove_all(paths.object(kernel.digest)));
        } else {
            machine.put_file(paths.object(kernel.digest), "cut");
        }
        const auto done = back(1);
        ASSERT_FALSE(done);
        EXPECT_TRUE(done.error().refused);
        EXPECT_THAT(done.error().message, HasSubstr("kernel8.img of profile lab"));
        EXPECT_EQ(current(), second);
    }
}

TEST_F(Rollback, RefusesWhenARootIsGone) {
    const auto root = first.find_board("pi-02")->root->path;
    ASSERT_TRUE(machine.remove_all(root));
    const auto done = back(1);
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().refused);
    EXPECT_THAT(done.error().message, HasSubstr("the root of pi-02: " + root.string()));
    EXPECT_EQ(current(), second);
}

TEST_F(Rollback, RefusesAManifestThatIsNotSound) {
    machine.put_file(paths.manifest(1), "{");
    const auto done = back(1);
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().refused);
    EXPECT_EQ(current(), second);
}

TEST_F(Rollback, LeadsAwayFromACurrentOneThatIsNotSound) {
    machine.put_file(paths.manifest(2), "{");
    const auto done = back();
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(current(), first);
}

TEST_F(Rollback, OneChangeAtATime) {
    const auto lock = machine.lock(paths.lock()).value();
    const auto done = back();
    ASSERT_FALSE(done);
    EXPECT_FALSE(done.error().refused);
    EXPECT_THAT(done.error().message, HasSubstr("is locked"));
}

// Not an image without firmware and kernel, which would be found out by the board that does not
// boot.
TEST_F(Rollback, ARootIsNoImageWhileTheBootFilesOfItsImageAreNotWhole) {
    const auto place = find_board_root(paths, "pi-01", machine);
    ASSERT_TRUE(place) << place.error().message;
    ASSERT_TRUE(machine.remove_all(paths.object(Digest::of("second kernel"))));
    const auto packed = promote_board_root(paths, *place, "/golden.tar.zst", machine, {});
    ASSERT_FALSE(packed);
    EXPECT_EQ(
        packed.error().message,
        "the boot files of its image are not whole in the store: run `bramble apply` first"
    );
}

}  // namespace
}  // namespace bramble::apply
