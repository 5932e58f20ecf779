#include "provisioning/kernel/debian_package.hpp"

#include <gtest/gtest.h>

namespace bramble::kernel {
namespace {

TEST(DebianPackageTest, AMetapackageLeadsToTheKernelsOwn) {
    EXPECT_EQ(
        parse_package("Package: linux-image-arm64\nSource: linux-signed-arm64 (6.1.192+2)\n"
                      "Version: 6.1.192-2\nDepends: linux-image-6.1.0-56-arm64 (= 6.1.192-2)\n"
                      "Description: Linux\n Version: not this\n\nPackage: another\nVersion: 1\n"),
        (PackageFacts{"linux-image-arm64", "6.1.192-2", "linux-image-6.1.0-56-arm64"})
    );
}

TEST(DebianPackageTest, AKernelsOwnPackageEndsTheSearch) {
    EXPECT_EQ(
        parse_package("Package: linux-image-6.1.0-56-arm64\nVersion: 6.1.192-2\n"
                      "Depends: kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | "
                      "linux-initramfs-tool\n"),
        (PackageFacts{"linux-image-6.1.0-56-arm64", "6.1.192-2", ""})
    );
    EXPECT_EQ(
        parse_package("Package: m\nVersion: 1\nDepends: kmod, linux-image-a:arm64 | x\n")->next,
        "linux-image-a"
    );
}

TEST(DebianPackageTest, WhatIsNoStanzaIsNone) {
    for (const char* bad :
         {"", "\n", "Package: x\n", "Version: 1\n", "N: Unable to locate", ":::"}) {
        EXPECT_EQ(parse_package(bad), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace bramble::kernel
