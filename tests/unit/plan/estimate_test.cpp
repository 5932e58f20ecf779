// What a plan says that it will take: by what the same step took before, by what is known of its
// kind, and nothing where nothing is known.
#include "provisioning/plan/estimate.hpp"

#include "lab.hpp"

namespace bramble::plan {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t gigabyte = 1'000'000'000;

class EstimateTest : public Lab {
protected:
    const Step& step(StepKind kind) {
        plan_ = make(fleet, seen, store);
        const auto found =
            std::find_if(plan_.steps.begin(), plan_.steps.end(), [&](const Step& one) {
                return one.kind == kind;
            });
        EXPECT_NE(found, plan_.steps.end()) << to_string(kind);
        return *found;
    }

    const Total& total() {
        plan_ = make(fleet, seen, store);
        return plan_.total;
    }

    void source_is(const char* location, std::uint64_t bytes) {
        fleet.images[0].source = fleet::FileSource{location, std::nullopt};
        seen.source_bytes["lite"] = bytes;
    }

    // An image of that name was made here before, of another source.
    void made_before(const char* step, std::uint64_t took_ms, std::uint64_t bytes) {
        ImageRecord record;
        record.key = Digest::of(step);
        record.made_by = step;
        record.took_ms = took_ms;
        record.root_bytes = bytes;
        seen.images[record.key] = record;
    }

private:
    Plan plan_;
};

TEST_F(EstimateTest, AnImageTakesWhatItsSizeAndItsPackingSay) {
    source_is("/a.img", gigabyte);
    EXPECT_EQ(step(StepKind::ingest_image).estimate, (Estimate{seconds(12), gigabyte}));
    source_is("/a.img.zst", gigabyte);
    EXPECT_EQ(step(StepKind::ingest_image).estimate, (Estimate{seconds(56), 4 * gigabyte}));
    EXPECT_THAT(rendered(), HasSubstr("ingest image lite: not in the store (some 56 s, 4.0 GB)\n"));
}

TEST_F(EstimateTest, OrWhatTheSameOneTookBefore) {
    source_is("/a.img", gigabyte);
    made_before("ingest image another", 1'000, 1'000'000);
    made_before("ingest image lite", 95'400, 2 * gigabyte);
    EXPECT_THAT(rendered(), HasSubstr("(some 1m 35s, 2.0 GB)"));
}

TEST_F(EstimateTest, NothingIsSaidOfWhatNobodyKnows) {
    fleet.images[0].source = fleet::FileSource{"https://images/a.img.xz", std::nullopt};
    EXPECT_EQ(step(StepKind::ingest_image).estimate, Estimate{});
    EXPECT_THAT(rendered(), HasSubstr("ingest image lite: not in the store\n"));
    EXPECT_THAT(total().unknown, ElementsAre(0U, 1U, 2U));  // copies of it, too
    EXPECT_THAT(rendered(), HasSubstr("     how long steps 1, 2, 3 take is not known yet\n"));
}

TEST_F(EstimateTest, ACustomisedImageIsKnownOnceItsCommandsHaveRun) {
    source_is("/a.img", gigabyte);
    seen.uncustomized["lite"] = Digest::of("its source");
    fleet.images[0].customize.run.push_back({"true", {}});
    EXPECT_EQ(step(StepKind::customize_image).estimate, (Estimate{std::nullopt, gigabyte}));
    EXPECT_THAT(total().unknown, ElementsAre(1U));
    EXPECT_THAT(rendered(), HasSubstr("; how long step 2 takes is not known yet\n"));
    made_before("customize image lite", 61'000, gigabyte + 1);
    EXPECT_EQ(step(StepKind::customize_image).estimate, (Estimate{seconds(61), gigabyte + 1}));
}

TEST_F(EstimateTest, AKernelTakesWhatTheSameOneTookElseTheLongest) {
    fleet::Kernel kernel;
    kernel.name = "verity";
    fleet.kernels.push_back(kernel);
    fleet.profiles[0].kernel = "verity";
    seen.kernels["verity"] = Digest::of("verity");
    EXPECT_EQ(step(StepKind::build_kernel).estimate, Estimate{});
    for (const auto& [name, took] : {std::pair("a", 300U), {"b", 400U}, {"nothing", 0U}}) {
        KernelRecord built;
        built.name = name;
        built.took_s = took;
        built.steps = 1000;
        seen.built_kernels[Digest::of(name)] = built;
    }
    EXPECT_EQ(step(StepKind::build_kernel).estimate.time, Duration(seconds(400)));
    fleet.kernels[0].source = fleet::DebSource{"linux-image-arm64"};
    EXPECT_EQ(step(StepKind::build_kernel).estimate, Estimate{}) << "nothing is built of a package";
    seen.built_kernels[Digest::of("a")].name = "verity";
    EXPECT_EQ(step(StepKind::build_kernel).estimate.time, Duration(seconds(300)));
}

TEST_F(EstimateTest, ACopyOfARootGoesByItsKindAndItsBase) {
    ingest();
    seen.images[key].root_bytes = gigabyte;
    for (const auto& [kind, said] :
         {std::pair(fleet::CopyOnWrite::copy, "(plain copy, some 5 s, 1.0 GB)"),
          {fleet::CopyOnWrite::reflink, "(reflink, some 1 s, 23.1 MB)"},
          {fleet::CopyOnWrite::overlay, "(overlayfs)"}}) {
        fleet.profiles[0].root.copy_on_write = kind;
        EXPECT_THAT(rendered(), HasSubstr(said));
    }
    fleet.appliance.nfs = fleet::NfsExternal{"nas", "/export"};
    fleet.profiles[0].root.copy_on_write = fleet::CopyOnWrite::automatic;
    EXPECT_THAT(rendered(), HasSubstr("(written to nas:/export, some 10 s)"));
    EXPECT_EQ(total().bytes, 0U);  // of this machine's store
}

// Two copies of five seconds side by side, after twelve for their base.
TEST_F(EstimateTest, StepsSideBySideTakeTheTimeOfOneWithEnoughProcessors) {
    source_is("/a.img", gigabyte);
    seen.free_bytes = 80 * gigabyte;
    seen.processors = 2;
    EXPECT_EQ(std::chrono::round<seconds>(total().time), seconds(17));
    EXPECT_EQ(total().bytes / 1'000'000, 3000U);
    EXPECT_THAT(
        rendered(),
        HasSubstr(
            "     all of it: some 17 s on 2 processors, and 3.0 GB of the 80.0 GB that are free\n"
        )
    );
    seen.processors = 1;
    EXPECT_EQ(std::chrono::round<seconds>(total().time), seconds(22));
    EXPECT_THAT(rendered(), HasSubstr("some 22 s on 1 processor, and"));
}

TEST_F(EstimateTest, AStoreThatIsTooSmallIsSaidBeforeAnythingIsMade) {
    source_is("/a.img", gigabyte);
    seen.free_bytes = 2 * gigabyte;
    EXPECT_THAT(
        rendered(),
        HasSubstr("warning: the store has 2.0 GB free, and what is to be made takes some 3.0 GB: "
                  "make room (`bramble gc` takes away what no kept generation needs) or put the "
                  "store on a larger disk\n")
    );
    EXPECT_FALSE(make(fleet, seen, store).refused());
    seen.free_bytes = 4 * gigabyte;
    EXPECT_THAT(rendered(), Not(HasSubstr("warning: the store")));
}

TEST_F(EstimateTest, WhatIsDoneInAMomentIsNotTalkedAbout) {
    apply();
    seen.board_roots.erase("pi-02");
    seen.images[key].root_bytes = gigabyte;
    fleet.profiles[0].root.copy_on_write = fleet::CopyOnWrite::overlay;
    EXPECT_THAT(rendered(), Not(HasSubstr("all of it")));
}

TEST_F(EstimateTest, ScriptsGetTheFigures) {
    source_is("/a.img", gigabyte);
    seen.free_bytes = 5;
    const std::string json = render_json(make(fleet, seen, store), fleet);
    EXPECT_THAT(json, HasSubstr(R"("estimated_seconds":1.2E1,"estimated_bytes":1000000000)"));
    EXPECT_THAT(json, HasSubstr(R"("unknown_steps":[],"free_bytes":5)"));
}

}  // namespace
}  // namespace bramble::plan
