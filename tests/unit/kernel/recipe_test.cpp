#include "provisioning/kernel/recipe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"

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

    Digest key() { return key_of(kernel, pins, machine).value().digest; }

    host::MemoryHost machine;
    fleet::Kernel kernel;
    Pins pins;
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

TEST_F(RecipeTest, GitsOwnDirectoryIsNoInput) {
    const Digest before = key();
    machine.put_file("/src/linux/.git/index", "x");
    EXPECT_EQ(key(), before);
}

TEST_F(RecipeTest, AMovingSourceIsPinnedOrTheKeyProvisional) {
    kernel.source = fleet::GitSource{"u", "b", ""};
    const auto provisional = key_of(kernel, pins, machine).value();
    EXPECT_FALSE(provisional.pinned);
    pins["verity"] = {"git u branch b", std::string(40, 'a')};
    const auto pinned = key_of(kernel, pins, machine).value();
    EXPECT_TRUE(pinned.pinned);
    EXPECT_NE(pinned.digest, provisional.digest);
    EXPECT_EQ(describe_source(kernel, pins), "git u at " + std::string(40, 'a'));
    pins["verity"].means = std::string(40, 'b');
    EXPECT_NE(key(), pinned.digest);
}

TEST_F(RecipeTest, WhatIsNotThereIsNamed) {
    kernel.patches = {"/src/none.patch"};
    EXPECT_THAT(
        key_of(kernel, pins, machine).error().message,
        testing::StartsWith("kernel 'verity': patches: ")
    );
    kernel.source = fleet::PathSource{"/src"};
    EXPECT_EQ(
        key_of(kernel, pins, machine).error().message,
        "kernel 'verity': '/src' holds no Makefile: name the top directory of a kernel's sources"
    );
    kernel.source = fleet::ArchiveSource{"/none.tar.xz", {}};
    EXPECT_EQ(
        key_of(kernel, pins, machine).error().message,
        "kernel 'verity': there is no file '/none.tar.xz'"
    );
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
