// A fleet with a kernel of its own, from its sources to boards' roots and boot trees.
#include "kernel_machine.hpp"
#include "provisioning/apply/collect.hpp"

namespace bramble::apply {
namespace {

using testing::HasSubstr;

class KernelApply : public Apply {
protected:
    KernelApply() { furnish_kernel(machine, fleet); }

    std::vector<plan::KernelRecord> built() {
        return store::Store(machine, paths).kernels().value();
    }

    std::string boot_file(const std::string& path) {
        const auto manifest = current();
        const auto& file = std::get<layout::ObjectFile>(manifest.trees.at("lab").at(path));
        return machine.text_at(paths.object(file.digest));
    }

    testing::AssertionResult nothing_is_left() {
        const auto left = machine.list(paths.staging()).value();
        if (left.empty()) return testing::AssertionSuccess();
        return testing::AssertionFailure() << left.front().name << " is left";
    }
};

TEST_F(KernelApply, KernelAndModulesArriveInOneGeneration) {
    const auto outcome = apply();
    ASSERT_TRUE(outcome) << outcome.error().message;
    ASSERT_EQ(built().size(), 1U);
    const plan::KernelRecord record = built()[0];
    EXPECT_EQ(record.release, "6.1.0-bramble-" + record.key.to_string().substr(0, 12));
    EXPECT_TRUE(record.mounts_root);
    EXPECT_EQ(record.source, "sources in /src/linux");
    EXPECT_EQ(record.steps, 1U);
    EXPECT_EQ(
        record.compiler,
        "aarch64-linux-gnu-gcc (Debian) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40"
    );
    const auto manifest = current();
    EXPECT_EQ(manifest.boards[0].kernel_release, record.release);
    EXPECT_THAT(boot_file("kernel8.img"), HasSubstr("CONFIG_DM_VERITY=y"));
    EXPECT_EQ(boot_file("bcm2711-rpi-4-b.dtb"), "dtb");
    EXPECT_EQ(root_of("pi-01", "lib/modules/" + record.release + "/kernel/dummy.ko"), "ELF");
    EXPECT_FALSE(machine.exists(
        manifest.find_board("pi-01")->root->path / "lib/modules" / record.release / "build"
    ));
    EXPECT_EQ(root_of("pi-01", "lib/modules/6.1.0-v8/modules.dep"), "") << "the image's own stay";
    const auto place = store::kernel_path(paths, record.key);
    EXPECT_THAT(machine.text_at(place / "config"), HasSubstr("CONFIG_ROOT_NFS=y"));
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(KernelApply, TheSameInputsAreNeverBuiltTwice) {
    ASSERT_TRUE(apply());
    machine.script("make", [](host::MemoryHost&, const host::Command&) {
        return Result<host::CommandOutcome>(fail("nobody builds"));
    });
    const auto again = apply();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_FALSE(again->changed);
    // Another board of the profile, another name of the kernel: the same build.
    fleet.kernels[0].name = "renamed";
    fleet.profiles[0].kernel = "renamed";
    const auto renamed = apply();
    ASSERT_TRUE(renamed) << renamed.error().message;
    EXPECT_EQ(built().size(), 1U);
}

TEST_F(KernelApply, AChangedOptionBuildsAnotherKernelAndAnotherBase) {
    ASSERT_TRUE(apply());
    const auto before = current();
    fleet.kernels[0].options["DM_DEBUG"] = "y";
    const auto outcome = apply();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->changed);
    EXPECT_EQ(built().size(), 2U);
    EXPECT_NE(current().boards[0].kernel_release, before.boards[0].kernel_release);
    EXPECT_NE(current().boards[0].root->path, before.boards[0].root->path);
    EXPECT_THAT(boot_file("kernel8.img"), HasSubstr("CONFIG_DM_DEBUG=y"));
}

TEST_F(KernelApply, AnotherCompilerBuildsAnotherKernel) {
    ASSERT_TRUE(apply());
    const std::string before = current().boards[0].kernel_release;
    machine.script("aarch64-linux-gnu-gcc", saying("aarch64-linux-gnu-gcc (Debian) 14.2.0"));
    const auto outcome = apply();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_TRUE(outcome->changed);
    EXPECT_THAT(events, testing::Contains("[1/6] build kernel verity: the compiler changed"));
    EXPECT_EQ(built().size(), 2U);
    EXPECT_NE(current().boards[0].kernel_release, before);
}

// Nobody builds with it: a store moves to a machine without compilers, or one is busy.
TEST_F(KernelApply, AKernelThatIsBuiltNeedsItsCompilerNoMore) {
    ASSERT_TRUE(apply());
    machine.script("aarch64-linux-gnu-ld", [](host::MemoryHost&, const host::Command&) {
        return Result<host::CommandOutcome>(fail("took longer than its limit"));
    });
    const auto silent = apply();
    ASSERT_TRUE(silent) << silent.error().message;
    EXPECT_FALSE(silent->changed);
    machine.forget_script("aarch64-linux-gnu-gcc");
    const auto without = apply();
    ASSERT_TRUE(without) << without.error().message;
    EXPECT_FALSE(without->changed);
    CollectOptions keep_one;
    keep_one.keep = 1;
    keep_one.uses = [] { return Result<std::map<std::uint64_t, plan::GenerationUse>>(); };
    ASSERT_TRUE(collect(fleet, keep_one, machine));
    EXPECT_EQ(built().size(), 1U);
    fleet.kernels[0].options["DM_DEBUG"] = "y";
    const auto other = apply();
    ASSERT_FALSE(other) << "to build one it is needed";
    EXPECT_THAT(other.error().message, HasSubstr("aarch64-linux-gnu-gcc is missing"));
}

TEST_F(KernelApply, ACompilerThatChangesUnderTheBuildIsNoticed) {
    machine.script("make", [](host::MemoryHost& host, const host::Command& command) {
        host.script("aarch64-linux-gnu-gcc", saying("aarch64-linux-gnu-gcc (Debian) 14.2.0"));
        return scripted_make(host, command);
    });
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(
        outcome.error().message,
        HasSubstr("kernel 'verity': its sources or its compiler changed while it was built; run "
                  "apply again when nobody writes to them")
    );
    EXPECT_TRUE(built().empty());
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(KernelApply, TheEstimateComesFromTheLatestBuildOfThatKernel) {
    std::vector<std::string> said;
    std::size_t files = 60;
    machine.script("make", [&](host::MemoryHost& host, const host::Command& command) {
        for (std::size_t i = 1; i < files && has_word(command, "Image"); ++i) {
            if (i == 55) host.advance(std::chrono::seconds(55));
            command.on_line("  CC      init/version.o");
        }
        return scripted_make(host, command);
    });
    Options options;
    options.on_event = [&](const Event& event) { said.push_back(event.text); };
    const auto estimate = [&](const std::string& option) {
        fleet.kernels[0].options[option] = "y";
        said.clear();
        const auto outcome = run(fleet, options, machine);
        EXPECT_TRUE(outcome) << outcome.error().message;
        for (const std::string& line : said) {
            if (line.find("55 ") == 0) return line;
        }
        return std::string();
    };
    EXPECT_EQ(estimate("A"), "55 files built in 55.0 s: init/version.o") << "there is no past";
    files = 110;
    EXPECT_THAT(estimate("B"), testing::StartsWith("55 of about 60 files built, about "));
    EXPECT_THAT(estimate("C"), testing::StartsWith("55 of about 110 files built, about "));
    fleet.kernels[0].name = "other";
    fleet.profiles[0].kernel = "other";
    EXPECT_THAT(estimate("D"), testing::StartsWith("55 files built")) << "another kernel's past";
}

TEST_F(KernelApply, AnOptionThatDidNotSurviveStopsBeforeTheBuild) {
    fleet.sources[0].text = "version: 1\n\n\nverity:\n  options: {UNKNOWN: y}\n";
    fleet.kernels[0].options["UNKNOWN"] = "y";
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(
        outcome.error().message,
        HasSubstr("lab.yaml:4:1: kernel 'verity': options that were asked for did not survive:\n"
                  "lab.yaml:5:13: UNKNOWN=y (options) came out as n: these sources have no such "
                  "option for this architecture\nask for what they depend on under options:, or "
                  "take them out")
    );
    EXPECT_TRUE(built().empty());
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(KernelApply, AFailedBuildShowsItsLogAndLeavesNothing) {
    machine.put_file("/src/linux/broken", "");
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("make tinyconfig ended with exit code 2"));
    EXPECT_THAT(outcome.error().message, HasSubstr("a.c:1:1: error: broken"));
    EXPECT_TRUE(nothing_is_left());
    EXPECT_TRUE(built().empty());
}

TEST_F(KernelApply, SourcesThatSomebodyConfiguredInPlaceAreLeftAlone) {
    machine.put_file("/src/linux/.config", "CONFIG_A=y\n");
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message, HasSubstr("run `make mrproper` there"));
    EXPECT_EQ(machine.text_at("/src/linux/.config"), "CONFIG_A=y\n");
}

TEST_F(KernelApply, AMissingCompilerNamesItsPackage) {
    fleet.kernels[0].arch = fleet::KernelArch::arm;
    const auto outcome = apply();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(
        outcome.error().message,
        HasSubstr("arm-linux-gnueabihf-gcc is missing: install the package "
                  "gcc-arm-linux-gnueabihf")
    );
}

TEST_F(KernelApply, ABranchIsPinnedOnceAndAgainWhenAsked) {
    machine.put_directory("/etc/bramble");
    fleet.sources[0].path = "/etc/bramble/fleet.yaml";
    fleet.kernels[0].source = fleet::GitSource{"https://g/linux", "stable", ""};
    std::string tip(40, 'a');
    int asked = 0;
    machine.script("git", [&](host::MemoryHost& host, const host::Command& command) {
        host::CommandOutcome outcome;
        if (has_word(command, "ls-remote")) {
            ++asked;
            EXPECT_EQ(command.argv.back(), "refs/heads/stable");
            outcome.output = tip + "\trefs/heads/stable\n";
        }
        if (has_word(command, "checkout")) {
            host.put_file(host::Path(command.argv.at(2)) / "Makefile", "at " + command.argv.back());
        }
        return Result<host::CommandOutcome>(std::move(outcome));
    });
    EXPECT_THAT(
        observe(fleet, paths, machine)->problems.at(0).message,
        HasSubstr("it is not pinned yet in 'fleet.lock'")
    );
    ASSERT_TRUE(apply()) << apply().error().message;
    EXPECT_EQ(asked, 1);
    EXPECT_THAT(machine.text_at("/etc/bramble/fleet.lock"), HasSubstr(tip));
    EXPECT_EQ(built()[0].source, "git https://g/linux at " + tip);
    EXPECT_TRUE(observe(fleet, paths, machine)->problems.empty());
    tip = std::string(40, 'b');
    const auto same = apply();
    ASSERT_TRUE(same);
    EXPECT_FALSE(same->changed) << "a branch moves when somebody says so";
    Options update;
    update.update_pins = true;
    const auto moved = run(fleet, update, machine);
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_TRUE(moved->changed);
    EXPECT_THAT(machine.text_at("/etc/bramble/fleet.lock"), HasSubstr(tip));
}

TEST_F(KernelApply, AFetchSaysHowFarItIsAndWhyItEnded) {
    fleet.kernels[0].source = fleet::GitSource{"https://g/linux", "", std::string(40, 'a')};
    machine.script("git", [](host::MemoryHost& host, const host::Command& command) {
        if (!has_word(command, "fetch")) return host::CommandOutcome{};
        command.on_line("Receiving objects:   1% (1/100)");
        host.advance(std::chrono::seconds(5));
        command.on_line("Receiving objects:  42% (42/100)      ");
        command.on_line("Receiving objects:  43% (43/100)");
        return host::CommandOutcome{
            128,
            "",
            "Receiving objects:   1% (1/100)\rReceiving objects:  43% (43/100)\rfatal: the remote "
            "end hung up\nfatal: early EOF\n"};
    });
    std::vector<std::string> said;
    Options options;
    options.on_event = [&](const Event& event) {
        if (event.text.starts_with("Receiving")) said.push_back(event.text);
    };
    const auto outcome = run(fleet, options, machine);
    ASSERT_FALSE(outcome);
    EXPECT_THAT(said, testing::ElementsAre("Receiving objects:  42% (42/100)"));
    EXPECT_THAT(
        outcome.error().message,
        HasSubstr("' ended with exit code 128:\nfatal: the remote end hung up\nfatal: early EOF")
    );
    EXPECT_TRUE(nothing_is_left());
}

TEST_F(KernelApply, AKernelGoesWithTheLastGenerationThatRunsIt) {
    ASSERT_TRUE(apply());
    fleet.profiles[0].kernel.reset();
    ASSERT_TRUE(apply());
    CollectOptions options;
    options.keep = 2;
    options.uses = [] { return std::map<std::uint64_t, plan::GenerationUse>{}; };
    auto collected = collect(fleet, options, machine);
    ASSERT_TRUE(collected) << collected.error().message;
    EXPECT_EQ(built().size(), 1U) << "generation 1 runs it";
    options.keep = 1;
    collected = collect(fleet, options, machine);
    ASSERT_TRUE(collected) << collected.error().message;
    EXPECT_THAT(store::describe(collected->gone), HasSubstr("1 kernel"));
    EXPECT_TRUE(built().empty());
    const auto again = apply();
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->changed) << "what boards boot is whole";
}

TEST_F(KernelApply, GcKeepsWhatTheFleetFileAsksFor) {
    ASSERT_TRUE(apply());
    CollectOptions options;
    options.keep = 1;
    options.uses = [] { return std::map<std::uint64_t, plan::GenerationUse>{}; };
    ASSERT_TRUE(collect(fleet, options, machine));
    const auto again = apply();
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->changed);
    EXPECT_EQ(built().size(), 1U);
}

}  // namespace
}  // namespace bramble::apply
