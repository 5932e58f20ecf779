// What goes and what stays, and that no moment at which a run is killed costs anybody anything.
#include "provisioning/apply/collect.hpp"

#include <functional>

#include "machine.hpp"
#include "provisioning/apply/rollback.hpp"
#include "provisioning/image/download.hpp"

namespace bramble::apply {
namespace {

using host::MemoryHost;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t calls_max = 5000;
const layout::StorePaths store_paths("/var/lib/bramble");

using Uses = std::map<std::uint64_t, plan::GenerationUse>;

CollectOptions options_of(std::size_t keep, Uses uses = {}) {
    CollectOptions options;
    options.keep = keep;
    options.uses = [uses] { return Result<Uses>(uses); };
    return options;
}

void change_base(MemoryHost& machine, int number) {
    machine.advance(std::chrono::seconds(5));
    machine.put_file("/src/root/etc/motd", "base " + std::to_string(number));
    machine.put_file("/src/boot/kernel8.img", "kernel " + std::to_string(number));
}

// Every file of the store is one that a generation, the fleet or a board's identity asks for.
void expect_no_orphan(MemoryHost& machine, const fleet::Fleet& fleet) {
    auto options = options_of(1000);
    options.dry_run = true;
    const auto left = collect(fleet, options, machine);
    ASSERT_TRUE(left) << left.error().message;
    EXPECT_TRUE(left->gone.empty()) << describe(left->gone);
    EXPECT_THAT(machine.list(store_paths.staging()).value(), IsEmpty());
    const auto boards = machine.list(store_paths.boards()).value();
    for (const host::DirectoryEntry& board : boards) {
        const auto entries = machine.list(store_paths.board(board.name)).value();
        for (const host::DirectoryEntry& entry : entries) {
            EXPECT_NE(entry.name.front(), '.') << board.name;
        }
    }
}

void expect_whole(MemoryHost& machine) {
    const store::Store store(machine, store_paths);
    const auto current = store.current();
    ASSERT_TRUE(current) << current.error().message;
    if (*current) {
        EXPECT_THAT(store.missing(**current).value(), IsEmpty());
    }
}

class Collect : public Apply {
protected:
    // Generations 1 to 3, each of another base and kernel.
    Collect() {
        for (int number = 1; number <= 3; ++number) {
            change_base(machine, number);
            EXPECT_TRUE(apply());
            manifests.push_back(current());
        }
    }

    const layout::Manifest& generation(std::size_t number) const { return manifests[number - 1]; }

    bool has_all_of(std::size_t number) {
        const store::Store store(machine, paths);
        return store.generation(number) && store.missing(generation(number)).value().empty();
    }

    std::vector<layout::Manifest> manifests;
};

TEST_F(Collect, WhatNobodyNeedsIsGoneWithAllThatOnlyItNeeded) {
    const auto done = collect(fleet, options_of(2), machine);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_THAT(done->gone.generations, ElementsAre(1));
    EXPECT_THAT(done->gone.board_trees, SizeIs(2));
    EXPECT_THAT(done->gone.roots, SizeIs(1));
    EXPECT_THAT(done->gone.images, SizeIs(1));
    EXPECT_THAT(done->gone.objects, ElementsAre(Digest::of("kernel 1")));
    EXPECT_THAT(done->kept, ElementsAre(2, 3));
    EXPECT_FALSE(has_all_of(1));
    EXPECT_TRUE(has_all_of(2));
    EXPECT_TRUE(has_all_of(3));
    expect_no_orphan(machine, fleet);
    EXPECT_EQ(
        describe(done->gone),
        "1 generation (1), 2 board roots, 1 base root, 1 image record, 1 object of 0.0 MB"
    );
}

TEST_F(Collect, ItsExportsAreWithdrawnFirst) {
    const std::string root = generation(1).boards[0].root->path.string();
    EXPECT_THAT(machine.text_at(paths.nfs() / "ganesha.conf"), HasSubstr(root));
    ASSERT_TRUE(collect(fleet, options_of(2), machine));
    const std::string exports = machine.text_at(paths.nfs() / "ganesha.conf");
    EXPECT_THAT(exports, testing::Not(HasSubstr(root)));
    EXPECT_THAT(exports, HasSubstr(generation(2).boards[0].root->path.string()));
}

TEST_F(Collect, TheNextApplyHasNothingToDo) {
    ASSERT_TRUE(collect(fleet, options_of(1), machine));
    const auto outcome = apply();
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->changed);
    EXPECT_EQ(outcome->generation, 3U);
}

TEST_F(Collect, ASecondRunFindsNothing) {
    ASSERT_TRUE(collect(fleet, options_of(1), machine));
    const auto again = collect(fleet, options_of(1), machine);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->gone.empty());
    EXPECT_EQ(describe(again->gone), "nothing");
}

TEST_F(Collect, ADryRunOnlyLooks) {
    auto options = options_of(1);
    options.dry_run = true;
    const auto before = machine.tree("/var/lib/bramble");
    const auto lock = machine.lock(paths.lock()).value();  // even while another one changes it
    const auto done = collect(fleet, options, machine);
    ASSERT_TRUE(done);
    EXPECT_THAT(done->gone.generations, ElementsAre(1, 2));
    EXPECT_EQ(machine.tree("/var/lib/bramble"), before);
}

TEST_F(Collect, TheCurrentOneStaysAndSoDoesTheNewest) {
    ASSERT_TRUE(roll_back(fleet, 1, machine));
    const auto done = collect(fleet, options_of(1), machine);
    ASSERT_TRUE(done);
    EXPECT_THAT(done->kept, ElementsAre(1, 3));
    EXPECT_TRUE(has_all_of(1));
    EXPECT_TRUE(has_all_of(3));
    change_base(machine, 4);
    EXPECT_EQ(apply()->generation, 4U);  // no number is given twice
}

TEST_F(Collect, WhatABootOrAServeHoldsStays) {
    for (const plan::GenerationUse& use :
         {plan::GenerationUse{{"pi-01"}, {}, false},
          plan::GenerationUse{{}, {"pi-01"}, false},
          plan::GenerationUse{{}, {}, true}}) {
        const auto done = collect(fleet, options_of(1, {{1, use}}), machine);
        ASSERT_TRUE(done);
        EXPECT_THAT(done->kept, Contains(1U));
        EXPECT_TRUE(has_all_of(1));
        EXPECT_THAT(
            machine.text_at(paths.nfs() / "ganesha.conf"),
            HasSubstr(generation(1).boards[0].root->path.string())
        );
    }
}

TEST_F(Collect, ABoardOfAGenerationThatIsGoneKeepsAllItsTrees) {
    const auto done = collect(fleet, options_of(1, {{77, {{}, {"pi-01"}, false}}}), machine);
    ASSERT_TRUE(done);
    EXPECT_EQ(store::Store(machine, paths).board_roots("pi-01").value().size(), 3U);
    EXPECT_EQ(store::Store(machine, paths).board_roots("pi-02").value().size(), 1U);
}

TEST_F(Collect, NothingGoesWhenNobodyKnowsWhatIsInUse) {
    CollectOptions options = options_of(1);
    options.uses = []() -> Result<Uses> { return fail("state.db: permission denied"); };
    const auto before = machine.tree("/var/lib/bramble");
    EXPECT_FALSE(collect(fleet, options, machine));
    EXPECT_EQ(machine.tree("/var/lib/bramble"), before);
}

TEST_F(Collect, NothingGoesWhenOneThatStaysCannotBeRead) {
    machine.put_file(paths.manifest(2), "{");
    const auto done = collect(fleet, options_of(2), machine);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("generation 2 has to stay"));
    EXPECT_TRUE(has_all_of(1));
    EXPECT_TRUE(collect(fleet, options_of(1), machine));  // unless it may go itself
}

TEST_F(Collect, AnImageWhoseSourceCannotBeSeenIsNotThrownAway) {
    ASSERT_TRUE(machine.remove_all("/src"));
    const auto done = collect(fleet, options_of(1), machine);
    ASSERT_TRUE(done);
    EXPECT_THAT(done->gone.images, IsEmpty());
    EXPECT_THAT(done->warnings, SizeIs(1));
    EXPECT_THAT(done->gone.generations, ElementsAre(1, 2));
}

TEST_F(Collect, ABoardThatLeftTheFleetLeavesItsIdentityOnly) {
    fleet.boards.pop_back();
    ASSERT_TRUE(apply());
    ASSERT_TRUE(collect(fleet, options_of(1), machine));
    EXPECT_THAT(store::Store(machine, paths).board_roots("pi-02").value(), IsEmpty());
    EXPECT_FALSE(machine.exists(paths.board_root("pi-02")));  // a link that would lead nowhere
    EXPECT_TRUE(machine.exists(paths.board_identity("pi-02")));
}

TEST_F(Collect, AnUnfinishedDownloadGoesWithItsUrl) {
    const host::Path downloads = paths.store() / "downloads";
    const std::string url = "http://lab/lite.img.xz";
    const std::string kept = image::download_prefix(url) + "lite.img.xz.part";
    const std::string gone = image::download_prefix("http://lab/old.img.xz") + "old.img.xz.part";
    for (const std::string& name : {kept, gone, std::string("notes.txt")})
        machine.put_file(downloads / name, "half");
    fleet.images.emplace_back();
    fleet.images.back().source = fleet::FileSource{url, std::nullopt};
    const auto collected = collect(fleet, options_of(1000), machine);
    ASSERT_TRUE(collected) << collected.error().message;
    EXPECT_THAT(collected->gone.downloads, ElementsAre(gone));
    EXPECT_EQ(describe(collected->gone), "1 unfinished download");
    EXPECT_FALSE(machine.exists(downloads / gone));
    EXPECT_TRUE(machine.exists(downloads / kept));
    EXPECT_TRUE(machine.exists(downloads / "notes.txt"));
}

TEST_F(Collect, ACustomizedImageKeepsTheRootThatItBeginsWith) {
    customize(machine, fleet);
    ASSERT_TRUE(apply());
    fleet.images[0].customize.files["/etc/motd"].content = "another";
    ASSERT_TRUE(apply());
    ASSERT_TRUE(collect(fleet, options_of(1), machine));
    EXPECT_THAT(machine.list(paths.roots()).value(), SizeIs(2));
    fleet.images[0].customize.files["/etc/motd"].content = "a third";
    ASSERT_TRUE(apply());
    EXPECT_THAT(events, testing::Not(Contains(HasSubstr("ingest image"))));
}

TEST_F(Collect, WhatIsNobodysIsLeftAlone) {
    machine.put_file("/var/lib/bramble/objects/README", "ours");
    machine.put_file(paths.board("pi-01") / "notes.txt", "theirs");
    ASSERT_TRUE(collect(fleet, options_of(1), machine));
    EXPECT_TRUE(machine.exists("/var/lib/bramble/objects/README"));
    EXPECT_TRUE(machine.exists(paths.board("pi-01") / "notes.txt"));
}

// kill -9 at every call to the machine, and every call that fails: what is published is whole, the
// next apply finishes, and a collection after it leaves no orphan.
class KilledAnywhere : public testing::TestWithParam<FaultOn> {
protected:
    using Deed = std::function<bool(const fleet::Fleet&, MemoryHost&)>;

    static void for_every_call(int bases, const Deed& deed, bool customized = false) {
        for (std::size_t n = 0; n < calls_max; ++n) {
            SCOPED_TRACE(n);
            MemoryHost machine;
            furnish(machine);
            put_on(machine, std::get<Ground>(GetParam()));
            fleet::Fleet fleet = small_fleet();
            if (customized) customize(machine, fleet);
            for (int base = 1; base <= bases; ++base) {
                change_base(machine, base);
                ASSERT_TRUE(run(fleet, {}, machine));
            }
            change_base(machine, bases + 1);
            machine.fail_call(n, std::get<MemoryHost::Fault>(GetParam()));
            const bool done = deed(fleet, machine);
            const bool reached = machine.calls() > n;
            machine.restart();
            EXPECT_TRUE(reached || done);
            expect_whole(machine);
            const auto finished = run(fleet, {}, machine);
            ASSERT_TRUE(finished) << finished.error().message;
            expect_whole(machine);
            const auto collected = collect(fleet, options_of(1), machine);
            ASSERT_TRUE(collected) << collected.error().message;
            expect_whole(machine);
            expect_no_orphan(machine, fleet);
            const auto again = run(fleet, {}, machine);
            ASSERT_TRUE(again) << again.error().message;
            EXPECT_FALSE(again->changed);
            if (!reached) return;
        }
        FAIL() << "two boards need more than " << calls_max << " calls";
    }
};

TEST_P(KilledAnywhere, InAnApply) {
    for_every_call(1, [](const fleet::Fleet& fleet, MemoryHost& machine) {
        return run(fleet, {}, machine).has_value();
    });
}

TEST_P(KilledAnywhere, InAnApplyThatCustomizes) {
    for_every_call(
        0,
        [](const fleet::Fleet& fleet, MemoryHost& machine) {
            return run(fleet, {}, machine).has_value();
        },
        true
    );
}

TEST_P(KilledAnywhere, InARollback) {
    for_every_call(2, [](const fleet::Fleet& fleet, MemoryHost& machine) {
        return roll_back(fleet, 1, machine).has_value();
    });
}

TEST_P(KilledAnywhere, InACollection) {
    for_every_call(3, [](const fleet::Fleet& fleet, MemoryHost& machine) {
        return collect(fleet, options_of(1), machine).has_value();
    });
}

INSTANTIATE_TEST_SUITE_P(
    OnceAndForGood, KilledAnywhere, every_fault_on_every_ground(), name_of_fault
);

}  // namespace
}  // namespace bramble::apply
