#include "provisioning/kernel/recipe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::kernel {
namespace {

class RecipeTest : public testing::Test {
protected:
    RecipeTest() {
        machine.put_file("/src/linux/Makefile", "VERSION = 6\n");
        machine.put_file("/src/linux/init/main.c", "int main;\n");
        machine.put_file("/src/led.patch", "--- a\n+++ b\n");
        kernel.name = "verity";
        kernel.source = fleet::PathSource{"/src/linux"};
        kernel.defconfig = "tinyconfig";
        kernel.presets = {"nfsroot", "verity"};
        kernel.patches = {"/src/led.patch"};
    }

    Result<Key> answer() {
        Inquiry inquiry(machine);
        return key_of(kernel, pins, inquiry);
    }

    Digest key() { return answer().value().digest; }

    // A program that tells its version, and counts how often it is asked.
    void install(const std::string& program, const std::string& version) {
        machine.script(program, [this, version](host::MemoryHost&, const host::Command& command) {
            ++asked;
            EXPECT_THAT(command.argv, testing::ElementsAre(testing::_, "--version"));
            EXPECT_EQ(command.limit, Inquiry::answer_max);
            return host::CommandOutcome{0, version + "\nCopyright (C) 2022\n", ""};
        });
    }

    host::MemoryHost machine;
    fleet::Kernel kernel;
    Pins pins;
    int asked = 0;
};

TEST_F(RecipeTest, TheSameInputsHaveTheSameKey) {
    EXPECT_EQ(key(), key());
    const Digest before = key();
    kernel.name = "another name";
    kernel.file = "kernel8-lab.img";
    EXPECT_EQ(key(), before) << "a name builds nothing";
}

TEST_F(RecipeTest, EveryInputMattersForTheKey) {
    std::set<Digest> keys = {key()};
    const auto differs = [&](const char* what) { EXPECT_TRUE(keys.insert(key()).second) << what; };
    machine.advance(std::chrono::seconds(5));
    machine.put_file("/src/linux/init/main.c", "int more;\n");
    differs("a file of the tree");
    machine.put_file("/src/led.patch", "--- a\n+++ c\n");
    differs("a patch");
    kernel.patches.clear();
    differs("no patch");
    kernel.options["DM_DEBUG"] = "y";
    differs("an option");
    kernel.presets.pop_back();
    differs("a preset");
    kernel.arch = fleet::KernelArch::arm;
    differs("the architecture");
    kernel.defconfig = "defconfig";
    differs("the defconfig");
    machine.put_file("/src/my.config", "CONFIG_A=y\n");
    kernel.defconfig = "/src/my.config";
    differs("a configuration file");
    machine.put_file("/src/my.config", "CONFIG_A=m\n");
    differs("its content");
}

TEST_F(RecipeTest, TheCompilerAndItsLinkerMatterForTheKey) {
    std::set<Digest> keys = {key()};
    const auto differs = [&](const char* what) { EXPECT_TRUE(keys.insert(key()).second) << what; };
    install("aarch64-linux-gnu-ld", "GNU ld 2.40");
    install("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0");
    differs("a compiler");
    install("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcc (Debian 14.2.0-19) 14.2.0");
    differs("another compiler");
    install("aarch64-linux-gnu-ld", "GNU ld 2.44");
    differs("another linker");
    const Digest before = key();
    install("arm-linux-gnueabihf-gcc", "arm-linux-gnueabihf-gcc 12.2.0");
    EXPECT_EQ(key(), before) << "of another architecture";
    kernel.source = fleet::DebSource{"linux-image-arm64"};
    const Digest package = key();
    install("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcc 15");
    EXPECT_EQ(key(), package) << "nothing is compiled";
}

TEST_F(RecipeTest, ACompilerIsAskedOnceForAllKernels) {
    install("aarch64-linux-gnu-gcc", "gcc 12");
    install("aarch64-linux-gnu-ld", "ld 2.40");
    Inquiry inquiry(machine);
    ASSERT_TRUE(key_of(kernel, pins, inquiry));
    kernel.options["DM_DEBUG"] = "y";
    ASSERT_TRUE(key_of(kernel, pins, inquiry));
    EXPECT_EQ(asked, 2) << "the compiler once, the linker once";
    EXPECT_EQ(inquiry.compiler(fleet::KernelArch::arm64).value(), "gcc 12, ld 2.40");
    EXPECT_EQ(inquiry.compiler(fleet::KernelArch::arm).value(), "") << "there is none";
}

TEST_F(RecipeTest, ACompilerThatDoesNotSayItsVersionIsNamed) {
    machine.script("aarch64-linux-gnu-gcc", [](host::MemoryHost&, const host::Command&) {
        return host::CommandOutcome{};
    });
    EXPECT_EQ(
        answer().error().message, "kernel 'verity': aarch64-linux-gnu-gcc --version says nothing"
    );
}

TEST_F(RecipeTest, GitsOwnDirectoryIsNoInput) {
    const Digest before = key();
    machine.put_file("/src/linux/.git/index", "x");
    EXPECT_EQ(key(), before);
}

// On the real machine: the same size, and the date set back to what it was.
TEST(RecipeOfARealTree, AnEditIsNoticedWhateverItsSizeAndDate) {
    char name[] = "/tmp/bramble-kernel-XXXXXX";
    const host::Path top = ::mkdtemp(name);
    const auto write = [&](const char* path, std::string_view text) {
        std::ofstream(top / path) << text;
    };
    std::filesystem::create_directory(top / "init");
    write("Makefile", "VERSION = 6\n");
    write("init/main.c", "int main;\n");
    fleet::Kernel kernel;
    kernel.source = fleet::PathSource{top};
    kernel.arch = fleet::KernelArch::arm;
    kernel.defconfig = "tinyconfig";
    host::RealHost machine;
    const auto key = [&] {
        Inquiry inquiry(machine);
        return key_of(kernel, {}, inquiry).value().digest;
    };
    const Digest before = key();
    EXPECT_EQ(key(), before);
    const auto date = std::filesystem::last_write_time(top / "init/main.c");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a tick of the coarsest clock
    write("init/main.c", "int more;\n");
    std::filesystem::last_write_time(top / "init/main.c", date);
    EXPECT_EQ(std::filesystem::last_write_time(top / "init/main.c"), date);
    EXPECT_NE(key(), before);
    std::filesystem::remove_all(top);
}

TEST_F(RecipeTest, AMovingSourceIsPinnedOrTheKeyProvisional) {
    kernel.source = fleet::GitSource{"u", "b", ""};
    const auto provisional = answer().value();
    EXPECT_FALSE(provisional.pinned);
    pins["verity"] = {"git u branch b", std::string(40, 'a')};
    const auto pinned = answer().value();
    EXPECT_TRUE(pinned.pinned);
    EXPECT_NE(pinned.digest, provisional.digest);
    EXPECT_EQ(describe_source(kernel, pins), "git u at " + std::string(40, 'a'));
    pins["verity"].means = std::string(40, 'b');
    EXPECT_NE(key(), pinned.digest);
}

TEST_F(RecipeTest, WhatIsNotThereIsNamed) {
    kernel.patches = {"/src/none.patch"};
    EXPECT_THAT(answer().error().message, testing::StartsWith("kernel 'verity': patches: "));
    kernel.source = fleet::PathSource{"/src"};
    EXPECT_EQ(
        answer().error().message,
        "kernel 'verity': '/src' holds no Makefile: name the top directory of a kernel's sources"
    );
    kernel.source = fleet::ArchiveSource{"/none.tar.xz", {}};
    EXPECT_EQ(answer().error().message, "kernel 'verity': there is no file '/none.tar.xz'");
}

TEST_F(RecipeTest, AnOptionWinsOverAPreset) {
    kernel.options = {{"ROOT_NFS", "n"}, {"HZ", "250"}, {"LOCALVERSION", "-lab"}};
    const Asking asking = asking_of(kernel);
    EXPECT_EQ(asking.at("ROOT_NFS"), (Asked{"n", "options"}));
    EXPECT_EQ(asking.at("NFS_V3"), (Asked{"y", "preset nfsroot"}));
    EXPECT_EQ(asking.at("DM_VERITY"), (Asked{"y", "preset verity"}));
    EXPECT_EQ(asking.at("LOCALVERSION").value, "\"-lab\"");
}

TEST_F(RecipeTest, AReleaseLeadsBackToTheKey) {
    const Digest one = Digest::of("x");
    const std::string release = "6.1.192-lab" + release_suffix(one);
    EXPECT_EQ(key_digits(release), one.to_string().substr(0, 12));
    EXPECT_EQ(key_digits("6.1.0-56-arm64"), "");
    EXPECT_EQ(key_digits("6.1.0-bramble-xyz"), "");
    EXPECT_EQ(key_digits("6.1.0-bramble-0123456789ab+"), "");
}

TEST_F(RecipeTest, AnOptionsPlaceIsWhereTheFleetFileNamesIt) {
    fleet::Fleet fleet;
    fleet.sources.push_back(
        {"fleet.yaml",
         "kernels:\n  verity:\n    presets: [nfsroot, verity]\n    options: {DM_DEBUG: y, DM: m}\n"}
    );
    kernel.where = {0, 2, 3};
    EXPECT_EQ(place_of(fleet, kernel, "DM"), (fleet::SourceLocation{0, 4, 28}));
    EXPECT_EQ(place_of(fleet, kernel, "nfsroot"), (fleet::SourceLocation{0, 3, 15}));
    EXPECT_EQ(place_of(fleet, kernel, "ABSENT"), kernel.where);
}

TEST_F(RecipeTest, TheFileIsWhatFirmwareLoadsByItself) {
    EXPECT_EQ(file_of(kernel), "kernel8.img");
    kernel.arch = fleet::KernelArch::arm;
    EXPECT_EQ(file_of(kernel), "kernel7l.img");
    kernel.file = "vmlinuz-lab";
    EXPECT_EQ(file_of(kernel), "vmlinuz-lab");
}

}  // namespace
}  // namespace bramble::kernel
