// A profile with a kernel of its own: what is built and installed, and what its boards then get.
#include "lab.hpp"

namespace bramble::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class KernelPlanTest : public Lab {
protected:
    KernelPlanTest() {
        fleet::Kernel kernel;
        kernel.name = "verity";
        kernel.source = fleet::PathSource{"/src/linux"};
        kernel.where = {0, 4, 1};
        fleet.kernels.push_back(kernel);
        fleet.profiles[0].kernel = "verity";
        seen.kernels["verity"] = kernel_key;
    }

    void build() {
        KernelRecord record;
        record.key = kernel_key;
        record.name = "verity";
        record.arch = "arm64";
        record.release = "6.1.192-bramble-0123456789ab";
        record.files["kernel"] = object("our kernel");
        record.files["bcm2711-rpi-4-b.dtb"] = object("our device tree");
        record.files["overlays/led.dtbo"] = object("our overlay");
        record.has_modules = true;
        record.mounts_root = true;
        record.nfs_versions = {"3", "4"};
        seen.built_kernels[kernel_key] = record;
    }

    Base base() { return base_of(fleet, seen, fleet.profiles[0]).value(); }

    void install() {
        const ImageRecord record = with_kernel(
            base().key,
            seen.images.at(key),
            fleet.kernels[0],
            seen.built_kernels.at(kernel_key),
            std::nullopt
        );
        seen.images[record.key] = record;
    }

    const Digest kernel_key = Digest::of("verity as it is");
};

TEST_F(KernelPlanTest, AFreshStoreBuildsAndInstallsBeforeRootsAreCopied) {
    const Plan plan = make(fleet, seen, store);
    ASSERT_FALSE(plan.refused());
    std::vector<std::string> names;
    for (const Step& step : plan.steps) names.emplace_back(to_string(step.kind));
    EXPECT_THAT(
        names,
        ElementsAre(
            "ingest image",
            "build kernel",
            "install kernel",
            "copy root",
            "copy root",
            "export roots",
            "publish"
        )
    );
    EXPECT_THAT(plan.steps[2].after, ElementsAre(0U, 1U));
    EXPECT_THAT(plan.steps[3].after, testing::Contains(2U));
    EXPECT_EQ(plan.steps[1].key, kernel_key);
    EXPECT_THAT(rendered(), HasSubstr("build kernel verity: not in the store"));
    EXPECT_THAT(rendered(), HasSubstr("install kernel verity: boards with image lite run it"));
}

TEST_F(KernelPlanTest, ASharedRootIsStartedByAnInitramfsOfTheBaseThatHasTheKernel) {
    fleet.profiles[0].root.mode = fleet::RootMode::shared;
    const Plan plan = make(fleet, seen, store);
    ASSERT_FALSE(plan.refused()) << rendered();
    std::vector<std::string> names;
    for (const Step& step : plan.steps) names.emplace_back(to_string(step.kind));
    EXPECT_THAT(
        names,
        ElementsAre(
            "ingest image",
            "build kernel",
            "install kernel",
            "make initramfs",
            "pack identity",
            "pack identity",
            "export roots",
            "publish"
        )
    );
    EXPECT_EQ(plan.steps[3].key, initramfs_step_key(root_name(base().key)));
    EXPECT_THAT(plan.steps[3].after, testing::Contains(2U));
    EXPECT_THAT(plan.steps[4].after, testing::Contains(2U));
}

TEST_F(KernelPlanTest, WhatIsThereIsNotMadeAgain) {
    ingest();
    build();
    install();
    apply();
    install();
    const Composition wanted = compose(fleet, seen, store);
    for (const auto& [board, root] : wanted.roots) {
        seen.board_roots[board] = {{root.base, root::identity_key(root.identity)}};
    }
    layout::Manifest current = wanted.manifest;
    current.generation = 7;
    current.created = "2024-05-04T00:00:00Z";
    seen.current = current;
    EXPECT_TRUE(make(fleet, seen, store).nothing_to_do()) << rendered();
    EXPECT_EQ(current.boards[0].kernel_release, "6.1.192-bramble-0123456789ab");
}

TEST_F(KernelPlanTest, AnotherKernelIsAnotherBaseOfTheSameImage) {
    ingest();
    build();
    install();
    const Digest before = base().key;
    EXPECT_NE(before, key);
    seen.kernels["verity"] = Digest::of("verity changed");
    EXPECT_NE(base().key, before);
    EXPECT_THAT(
        rendered(),
        HasSubstr("build kernel verity: its source, options, patches or compiler changed")
    );
    EXPECT_THAT(rendered(), testing::Not(HasSubstr("ingest image")));
}

TEST_F(KernelPlanTest, BootFilesAreTheKernelsAndTheImagesInitramfsGoes) {
    ingest();
    seen.images[key].files["initramfs8"] = object("for the image's own kernel");
    seen.images[key].config_txt =
        "auto_initramfs=1\nkernel=old.img\n[pi4]\narm_boost=1\ninitramfs x followkernel\n";
    build();
    install();
    const ImageRecord record = seen.images.at(base().key);
    EXPECT_EQ(std::get<layout::ObjectFile>(record.files.at("kernel8.img")), object("our kernel"));
    EXPECT_EQ(record.files.at("vmlinuz"), record.files.at("kernel8.img"));
    EXPECT_TRUE(record.files.contains("bcm2711-rpi-4-b.dtb"));
    EXPECT_TRUE(record.files.contains("overlays/led.dtbo"));
    EXPECT_TRUE(record.files.contains("start4.elf"));
    EXPECT_FALSE(record.files.contains("initramfs8"));
    EXPECT_EQ(record.config_txt, "[pi4]\narm_boost=1\n[all]\narm_64bit=1\nkernel=kernel8.img\n");
}

TEST_F(KernelPlanTest, AKernelThatNeedsOneGetsItsOwnInitramfs) {
    ingest();
    build();
    fleet.kernels[0].file = "kernel8-lab.img";
    const ImageRecord record = with_kernel(
        base().key,
        seen.images.at(key),
        fleet.kernels[0],
        seen.built_kernels.at(kernel_key),
        object("our initramfs")
    );
    EXPECT_EQ(std::get<layout::ObjectFile>(record.files.at("initrd.img")), object("our initramfs"));
    EXPECT_THAT(
        record.config_txt,
        testing::EndsWith("kernel=kernel8-lab.img\ninitramfs initrd.img followkernel\n")
    );
}

TEST_F(KernelPlanTest, AKernelWithoutTheNfsVersionThatIsAskedForIsRefused) {
    ingest();
    build();
    install();
    EXPECT_FALSE(make(fleet, seen, store).refused()) << rendered();
    fleet.profiles[0].root.nfs_version = "4.2";
    const Plan plan = make(fleet, seen, store);
    ASSERT_TRUE(plan.refused());
    EXPECT_THAT(
        rendered(),
        HasSubstr("lab.yaml:5:1: error: profile 'lab': its root is asked for with NFS version 4.2, "
                  "and kernel 'verity' (6.1.192-bramble-0123456789ab) knows only 3, 4; set root: "
                  "{nfs_version: …} to one that it knows, or give the kernel options: {NFS_V4_2: "
                  "y} or presets: [nfsroot]")
    );
}

TEST_F(KernelPlanTest, AnImageWithoutARootTakesTheKernelsFilesAlone) {
    fleet.profiles[0].image = "";
    build();
    const Plan plan = make(fleet, seen, store);
    ASSERT_FALSE(plan.refused());
    ASSERT_EQ(plan.steps.size(), 2U) << rendered();
    EXPECT_EQ(plan.steps[0].kind, StepKind::install_kernel);
    EXPECT_EQ(plan.steps[0].reason, "for boards without an image");
}

}  // namespace
}  // namespace bramble::plan
