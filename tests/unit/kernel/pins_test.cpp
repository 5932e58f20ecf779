#include "provisioning/kernel/pins.hpp"

#include <gtest/gtest.h>

namespace bramble::kernel {
namespace {

const std::string commit = "8d3c1f0e9b7a6d5c4b3a29180706f5e4d3c2b1a0";

fleet::Kernel kernel_of(fleet::KernelSource source) {
    fleet::Kernel kernel;
    kernel.name = "k";
    kernel.source = std::move(source);
    return kernel;
}

TEST(PinsTest, OnlyWishesThatMoveArePinned) {
    EXPECT_EQ(
        moving_wish(kernel_of(fleet::GitSource{"https://g/linux", "rpi-6.6.y", ""})),
        "git https://g/linux branch rpi-6.6.y"
    );
    EXPECT_EQ(moving_wish(kernel_of(fleet::GitSource{"u", "", ""})), "git u branch HEAD");
    EXPECT_EQ(moving_wish(kernel_of(fleet::GitSource{"u", "b", commit})), std::nullopt);
    EXPECT_EQ(moving_wish(kernel_of(fleet::PathSource{"/src"})), std::nullopt);
    EXPECT_EQ(moving_wish(kernel_of(fleet::ArchiveSource{"/a.tar", {}})), std::nullopt);
    EXPECT_EQ(moving_wish(kernel_of(fleet::ArchiveSource{"https://a", {}})), "archive https://a");
    EXPECT_EQ(
        moving_wish(kernel_of(fleet::ArchiveSource{"https://a", Digest::of("x")})), std::nullopt
    );
    fleet::Kernel deb = kernel_of(fleet::DebSource{"linux-image-arm64"});
    EXPECT_EQ(moving_wish(deb), "deb linux-image-arm64 for arm64");
    deb.arch = fleet::KernelArch::arm;
    EXPECT_EQ(moving_wish(deb), "deb linux-image-arm64 for armhf");
}

TEST(PinsTest, AnotherWishMakesAPinVoid) {
    fleet::Kernel kernel = kernel_of(fleet::GitSource{"u", "b", ""});
    const Pins pins = {{"k", {"git u branch b", commit}}};
    EXPECT_EQ(meaning(kernel, pins), commit);
    std::get<fleet::GitSource>(kernel.source).branch = "c";
    EXPECT_EQ(meaning(kernel, pins), std::nullopt);
    kernel.name = "other";
    EXPECT_EQ(meaning(kernel, pins), std::nullopt);
}

TEST(PinsTest, WrittenThenReadIsTheSame) {
    const LockFile file = {
        {{"a", {"git https://g branch b", commit}},
         {"b\"", {"deb linux-image-arm64 for arm64", "x=1"}}},
        {{"lite", {"https://i/lite.img.xz", commit}}}};
    const std::string text = write_lock_file(file);
    EXPECT_EQ(parse_lock_file(text).value(), file);
    EXPECT_EQ(
        write_lock_file({{{"a", {"git u branch b", commit}}}, {}}),
        "{\"format\": 1, \"kernels\": {\n  \"a\": {\"asked\": \"git u branch b\", \"means\": \"" +
            commit + "\"}\n}}\n"
    );
    EXPECT_EQ(
        write_lock_file({{}, {{"lite", {"https://i", "5"}}}}),
        "{\"format\": 1, \"kernels\": {\n}, \"images\": {\n  \"lite\": {\"asked\": \"https://i\", "
        "\"means\": \"5\"}\n}}\n"
    );
    EXPECT_EQ(parse_lock_file(write_lock_file({})).value(), LockFile{});
    for (std::size_t size = 0; size + 2 < text.size(); ++size) {
        EXPECT_FALSE(parse_lock_file(text.substr(0, size))) << size;
    }
    EXPECT_EQ(
        parse_lock_file("{\"format\": 2, \"kernels\": {}}").error().message,
        "it was written by another version"
    );
}

TEST(PinsTest, TheFileLiesBesideTheFleetFile) {
    fleet::Fleet fleet;
    EXPECT_EQ(pins_path(fleet), "");
    fleet.sources.push_back({"/etc/bramble/fleet.yaml", ""});
    EXPECT_EQ(pins_path(fleet), "/etc/bramble/fleet.lock");
}

}  // namespace
}  // namespace bramble::kernel
