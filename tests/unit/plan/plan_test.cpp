// A plan as an operator reads it: what will be done, and why.
#include "provisioning/plan/plan.hpp"

#include "lab.hpp"

namespace bramble::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlanTest : public Lab {};

TEST_F(PlanTest, AFreshStoreNeedsEverything) {
    EXPECT_EQ(
        rendered(),
        "nothing is published yet\n"
        "  1. ingest image lite: not in the store\n"
        "  2. copy root pi-01: it has none (plain copy, after 1)\n"
        "  3. copy root pi-02: it has none (plain copy, after 1)\n"
        "  4. export roots of 2 boards: each to its board's address\n"
        "  5. publish generation 1: the first one\n"
        "     2 roots by plain copy: each takes the whole space of its base, and some 5 s for each "
        "GB; all in one filesystem, where a board's forged file handle leads into another's root\n"
        "     how long steps 1, 2, 3 take is not known yet\n"
    );
}

TEST_F(PlanTest, HowARootIsCopiedIsTheFilesystemsAndTheProfiles) {
    using Kind = fleet::CopyOnWrite;
    for (const auto& [filesystem, wish, said] :
         std::initializer_list<std::tuple<const char*, Kind, const char*>>{
             {"ext4", Kind::automatic, "(overlayfs, after 1)"},
             {"", Kind::automatic, "(plain copy, after 1)"},
             {"tmpfs", Kind::automatic, "(plain copy, after 1)"},
             {"tmpfs", Kind::overlay, "(overlayfs, after 1)"},
             {"xfs", Kind::automatic, "(reflink, after 1)"},
             {"xfs", Kind::overlay, "(overlayfs, after 1)"},
             {"btrfs", Kind::automatic, "(btrfs snapshot, after 1)"},
             {"btrfs", Kind::reflink, "(reflink, after 1)"},
             {"ext4", Kind::copy, "(plain copy, after 1)"},
             {"btrfs", Kind::btrfs, "(btrfs snapshot, after 1)"}}) {
        seen.filesystem = filesystem;
        fleet.profiles[0].root.copy_on_write = wish;
        EXPECT_THAT(rendered(), HasSubstr(said)) << filesystem;
    }
}

TEST_F(PlanTest, SaysWhatTheKindCostsAndWhyAPlainCopyIsOne) {
    seen.filesystem = "ext4";
    EXPECT_THAT(
        rendered(),
        HasSubstr("\n     2 roots by overlayfs: nothing is copied: some 20 ms each, and space for "
                  "files that a board changes\n")
    );
    seen.overlay_problem = "this kernel has no overlayfs";
    EXPECT_THAT(
        rendered(),
        HasSubstr(
            "\n     2 roots by plain copy: each takes the whole space of its base, and some "
            "5 s for each GB; all in one filesystem, where a board's forged file handle leads "
            "into another's root (no overlayfs: this kernel has no overlayfs)\n"
        )
    );
}

// Mounts and shared blocks of this machine mean nothing to the one that has the roots.
TEST_F(PlanTest, RootsOnANasAreWrittenThereAndNobodyHereExportsThem) {
    fleet.appliance.nfs = fleet::NfsExternal{"nas", "/export"};
    seen.filesystem = "btrfs";
    EXPECT_THAT(
        rendered(), HasSubstr("copy root pi-01: it has none (written to nas:/export, after 1)\n")
    );
    EXPECT_THAT(
        rendered(),
        HasSubstr("     2 roots over NFS to nas:/export: each takes the whole space of its base "
                  "there; the link says how long, some 10 s for each GB at 1 Gb/s\n")
    );
    EXPECT_THAT(rendered(), Not(HasSubstr("export roots")));
    fleet.profiles[0].root.copy_on_write = fleet::CopyOnWrite::btrfs;
    EXPECT_TRUE(make(fleet, seen, store).refused());
}

TEST_F(PlanTest, ChangesCannotBeCarriedOverOnANas) {
    fleet.appliance.nfs = fleet::NfsExternal{"nas", "/export"};
    fleet.profiles[0].root.on_base_change = fleet::OnBaseChange::keep;
    EXPECT_TRUE(make(fleet, seen, store).refused());
    EXPECT_THAT(
        rendered(),
        HasSubstr("profile 'lab': root: {on_base_change: keep} carries changes over from one root "
                  "of this machine to another, and with nfs: external they are on the NAS: set "
                  "on_base_change: reset, and keep what matters outside of the roots\n")
    );
}

TEST_F(PlanTest, AKindThatTheStoreDoesNotOfferIsRefusedWithTheRemedy) {
    seen.filesystem = "ext4";
    seen.overlay_problem = "this kernel has no overlayfs";
    for (const auto& [wish, said] :
         std::initializer_list<std::pair<fleet::CopyOnWrite, const char*>>{
             {fleet::CopyOnWrite::reflink,
              "copy_on_write: reflink needs the store on xfs or btrfs, and it is on ext4: put it "
              "on one of them, or leave copy_on_write out"},
             {fleet::CopyOnWrite::btrfs,
              "copy_on_write: btrfs needs the store on btrfs, and it is on ext4: put it there, or "
              "leave copy_on_write out"},
             {fleet::CopyOnWrite::overlay,
              "copy_on_write: overlay: this kernel has no overlayfs; leave copy_on_write out to "
              "have the first kind that works"}}) {
        fleet.profiles[0].root.copy_on_write = wish;
        const Plan plan = make(fleet, seen, store);
        EXPECT_TRUE(plan.refused());
        EXPECT_THAT(render(plan, fleet), HasSubstr(said));
    }
}

TEST_F(PlanTest, EachStepNamesWhatMustBeDoneBefore) {
    const Plan plan = make(fleet, seen, store);
    ASSERT_EQ(plan.steps.size(), 5U);
    EXPECT_THAT(plan.steps[0].after, IsEmpty());
    EXPECT_THAT(plan.steps[2].after, ElementsAre(0));
    EXPECT_THAT(plan.steps[4].after, ElementsAre(0, 1, 2, 3));
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        for (const std::size_t before : plan.steps[i].after) EXPECT_LT(before, i);
    }
}

TEST_F(PlanTest, AnAppliedFleetNeedsNothing) {
    apply();
    EXPECT_EQ(rendered(), "nothing to do; generation 7 is current\n");
    EXPECT_TRUE(make(fleet, seen, store).nothing_to_do());
}

TEST_F(PlanTest, ACommentInTheFleetFileIsNoReason) {
    apply();
    fleet.sources[0].text += "# a comment\n";
    EXPECT_TRUE(make(fleet, seen, store).nothing_to_do());
}

TEST_F(PlanTest, ABoardsCmdlineIsAReason) {
    apply();
    fleet.boards[1].cmdline = {"debug"};
    EXPECT_EQ(
        rendered(),
        "generation 7 is current\n"
        "  1. publish generation 8: pi-02: cmdline.txt changed\n"
    );
}

TEST_F(PlanTest, ANewAddressIsAlsoTheExports) {
    apply();
    fleet.boards[1].address = Ipv4Address::parse("172.16.1.99").value();
    EXPECT_EQ(
        rendered(),
        "generation 7 is current\n"
        "  1. write identity pi-02: its identity changed\n"
        "  2. export roots of 2 boards: each to its board's address\n"
        "  3. publish generation 8: pi-02: address changed\n"
    );
}

TEST_F(PlanTest, AChangedSourceMakesImageRootsAndGenerationAnew) {
    apply();
    seen.sources["lite"] = Digest::of("lite changed");
    EXPECT_EQ(
        rendered(),
        "generation 7 is current\n"
        "  1. ingest image lite: not in the store, or its source changed\n"
        "  2. copy root pi-01: its base changed: image lite; its changes do not come along "
        "(on_base_change: reset) (plain copy, after 1)\n"
        "  3. copy root pi-02: its base changed: image lite; its changes do not come along "
        "(on_base_change: reset) (plain copy, after 1)\n"
        "  4. export roots of 2 boards: each to its board's address\n"
        "  5. publish generation 8: image lite is made anew\n"
        "     2 roots by plain copy: each takes the whole space of its base, and some 5 s for each "
        "GB; all in one filesystem, where a board's forged file handle leads into another's root\n"
        "     how long steps 1, 2, 3 take is not known yet\n"
    );
}

// A root holds a board's own changes: what concerns its identity alone is written into it.
TEST_F(PlanTest, AnIdentityIsWrittenIntoTheRootThatTheBoardHas) {
    apply();
    fleet.profiles[0].users.push_back({"pi", std::nullopt, {}, true, {}});
    EXPECT_EQ(
        rendered(),
        "generation 7 is current\n"
        "  1. write identity pi-01: its identity changed\n"
        "  2. write identity pi-02: its identity changed\n"
    );
}

// As a run leaves it that was killed after the first root.
TEST_F(PlanTest, AFailedApplyGoesOnWhereItEnded) {
    apply();
    seen.current.reset();
    seen.next_generation = 1;
    seen.board_roots["pi-01"][0].identity.reset();
    seen.board_roots.erase("pi-02");
    EXPECT_EQ(
        rendered(),
        "nothing is published yet\n"
        "  1. write identity pi-01: it has none yet\n"
        "  2. copy root pi-02: it has none (plain copy)\n"
        "  3. export roots of 2 boards: each to its board's address\n"
        "  4. publish generation 1: the first one\n"
        "     1 root by plain copy: each takes the whole space of its base, and some 5 s for each "
        "GB; all in one filesystem, where a board's forged file handle leads into another's root\n"
        "     how long step 2 takes is not known yet\n"
    );
}

TEST_F(PlanTest, BootFilesAreStoredOnce) {
    apply();
    fleet.profiles[0].boot_files = {{"boot.scr.uimg", "/lab/boot.scr"}, {"again", "/lab/boot.scr"}};
    seen.boot_files["/lab/boot.scr"] = object("script");
    EXPECT_THAT(
        rendered(), HasSubstr("  1. store file /lab/boot.scr: not in the store\n  2. publish")
    );
    seen.objects.insert(object("script").digest);
    EXPECT_THAT(rendered(), HasSubstr("profile lab: again added, boot.scr.uimg added"));
    EXPECT_THAT(rendered(), testing::Not(HasSubstr("store file")));
}

TEST_F(PlanTest, AnImageThatNoBoardUsesIsLeftAlone) {
    apply();
    fleet::Image unused;
    unused.name = "unused";
    fleet.images.push_back(unused);
    fleet::Profile idle = fleet.profiles[0];
    idle.name = "idle";
    idle.image = "unused";
    fleet.profiles.push_back(idle);
    EXPECT_TRUE(make(fleet, seen, store).nothing_to_do());
}

TEST_F(PlanTest, ACustomizedImageIsTwoStepsWithTheirReasons) {
    fleet::Customization& wanted = fleet.images[0].customize;
    wanted.remove = {{"nano", {}}};
    wanted.packages = {{"fio", {}}, {"jq", {}}};
    wanted.users = {{"lab", std::nullopt, {}, false, {}}};
    wanted.enable = {{"a", {}}, {"b", {}}, {"c", {}}, {"d", {}}};
    wanted.run = {{"true", {}}, {"true", {}}};
    const Digest source = seen.sources.at("lite");
    seen.uncustomized["lite"] = source;
    seen.sources["lite"] = Digest::of("customized");
    const std::string does =
        "removes nano, installs fio and jq, makes lab, enables 4 units, runs 2 commands";
    EXPECT_THAT(
        rendered(),
        HasSubstr(
            "  1. ingest image lite: not in the store\n"
            "  2. customize image lite: not in the store: " +
            does + " (after 1)\n  3. copy root pi-01"
        )
    );
    const Plan plan = make(fleet, seen, store);
    EXPECT_EQ(plan.steps[0].key, source);
    EXPECT_EQ(plan.steps[1].key, Digest::of("customized"));
    EXPECT_THAT(plan.steps[1].after, ElementsAre(0));
    EXPECT_THAT(plan.steps[2].after, ElementsAre(1));
}

TEST_F(PlanTest, AnotherCustomizationBeginsWithTheRootThatIsThere) {
    apply();
    fleet.images[0].customize.run = {{"true", {}}};
    const Digest source = seen.sources.at("lite");
    seen.uncustomized["lite"] = source;
    seen.sources["lite"] = Digest::of("customized");
    EXPECT_THAT(
        rendered(),
        HasSubstr("  1. customize image lite: customize: is new or changed: runs 1 command\n"
                  "  2. copy root pi-01: its base changed: image lite")
    );
}

TEST_F(PlanTest, WhichRaspberryPiOsAnImageIsIsSaid) {
    apply();
    ImageRecord& record = seen.images.at(key);
    record.release = "Raspberry Pi OS 12 (bookworm), 64 bit";
    const std::string first = "image lite is Raspberry Pi OS 12 (bookworm), 64 bit";
    EXPECT_TRUE(rendered().starts_with(first + "\nnothing to do")) << rendered();
    record.taken_out = {"/var/swap", "cloud-init"};
    EXPECT_TRUE(rendered().starts_with(first + "; taken out: /var/swap, cloud-init\n"));
    EXPECT_THAT(
        render_json(make(fleet, seen, store), fleet),
        HasSubstr("\"notes\":[\"image lite is Raspberry Pi OS 12 (bookworm), 64 bit; taken out: ")
    );
}

TEST_F(PlanTest, ABoardsContradictionIsRefusedAtTheBoard) {
    ingest();
    fleet.boards[1].cmdline = {"root=/dev/sda1"};
    EXPECT_THAT(
        rendered(),
        HasSubstr("lab.yaml:11:5: error: board 'pi-02': cmdline parameter 'root=/dev/sda1' "
                  "contradicts the NFS root that this board gets; take it out")
    );
}

TEST_F(PlanTest, MissingFirmwareIsToldOnceForAProfile) {
    ingest();
    seen.images[key].files.erase("start4.elf");
    const Plan plan = make(fleet, seen, store);
    ASSERT_EQ(plan.problems.size(), 1U);
    EXPECT_FALSE(plan.problems[0].fatal);
    EXPECT_THAT(plan.problems[0].message, HasSubstr("profile 'lab': start4.elf is not among"));
    EXPECT_FALSE(plan.refused());
}

TEST_F(PlanTest, SaysWhatBecomesOfABoardsChangesWhenItsBaseChanges) {
    apply();
    seen.sources["lite"] = Digest::of("lite changed");
    fleet::RootSettings& root = fleet.profiles[0].root;
    root.on_base_change = fleet::OnBaseChange::keep;
    EXPECT_THAT(
        rendered(),
        HasSubstr("copy root pi-01: its base changed: image lite; nothing is listed to keep, its "
                  "changes stay behind (")
    );
    root.keep = {"/home/pi", "/srv"};
    EXPECT_THAT(
        rendered(),
        HasSubstr("copy root pi-02: its base changed: image lite; of its changes it keeps "
                  "/home/pi, /srv (")
    );
    EXPECT_THAT(make(fleet, seen, store).problems, IsEmpty());
}

TEST_F(PlanTest, JsonSaysTheSame) {
    apply();
    fleet.boards[1].cmdline = {"debug"};
    const std::string json = render_json(make(fleet, seen, store), fleet);
    EXPECT_THAT(json, HasSubstr("\"current\":7,\"refused\":false,\"nothing_to_do\":false"));
    EXPECT_THAT(
        json,
        HasSubstr("{\"step\":1,\"kind\":\"publish\",\"subject\":\"generation 8\",\"reason\":"
                  "\"pi-02: cmdline.txt changed\"")
    );
}

// Compared with the nearest of those that were made: a step of the same name, whatever else
// changed.
TEST_F(PlanTest, WhatChangedIsNamedWhereItHasAName) {
    apply();
    seen.images[key].made_by = "ingest image lite";
    seen.images[key].inputs = {{"its path", "/a.img"}, {"its file's size", "1.0 GB"}};
    seen.sources["lite"] = Digest::of("lite changed");
    seen.inputs["ingest image lite"] = {{"its path", "/a.img"}, {"its file's size", "2.0 GB"}};
    EXPECT_THAT(
        rendered(),
        HasSubstr("ingest image lite: not in the store: its file's size is 2.0 GB (was 1.0 GB)\n")
    );
    seen.uncustomized["lite"] = key;
    fleet.images[0].customize.packages = {{"fio", {}}, {"jq", {}}};
    seen.inputs["customize image lite"] = {{"package fio", ""}, {"package jq", ""}};
    for (const auto& [name, inputs] :
         {std::pair("far", Inputs{{"package vim", ""}}), {"near", Inputs{{"package fio", ""}}}}) {
        ImageRecord record;
        record.key = Digest::of(name);
        record.made_by = "customize image lite";
        record.inputs = inputs;
        seen.images[record.key] = record;
    }
    EXPECT_THAT(
        rendered(), HasSubstr("customize image lite: package jq is new: installs fio and jq")
    );
}

}  // namespace
}  // namespace bramble::plan
