#include "services/rehearsal/kernel_image.hpp"

#include <gtest/gtest.h>

#include "tests/unit/rehearsal/lab.hpp"

namespace bramble::rehearsal {
namespace {

TEST(KernelImageTest, WidthAndReleaseOfAnImage) {
    EXPECT_EQ(
        read_kernel(Lab::arm64_kernel("6.6.31+rpt-rpi-v8")),
        (KernelFacts{KernelWidth::arm64, "6.6.31+rpt-rpi-v8"})
    );
    EXPECT_EQ(read_kernel(Lab::arm_kernel()), (KernelFacts{KernelWidth::arm, ""}));
}

TEST(KernelImageTest, WhatIsNoKernelHasNeither) {
    EXPECT_EQ(read_kernel(""), KernelFacts{});
    EXPECT_EQ(read_kernel(std::string(100, 'x') + "Linux version 6.1 (x)"), KernelFacts{});
}

TEST(KernelImageTest, AnyTruncationIsSound) {
    const std::string whole = Lab::arm64_kernel();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const KernelFacts facts = read_kernel(std::string_view(whole).substr(0, size));
        EXPECT_EQ(facts.width, size < 60 ? KernelWidth::unknown : KernelWidth::arm64);
        if (!facts.release.empty()) {
            EXPECT_EQ(facts.release, Lab::release);
        }
    }
}

TEST(KernelImageTest, AReleaseLongerThanTheKernelsOwnIsNone) {
    EXPECT_EQ(read_kernel(Lab::arm64_kernel("6" + std::string(63, 'x'))).release.size(), 64U);
    EXPECT_EQ(read_kernel(Lab::arm64_kernel("6" + std::string(64, 'x'))).release, "");
}

}  // namespace
}  // namespace bramble::rehearsal
