// U-Boot's script image, octet for octet what its own mkimage makes of the same script with
// SOURCE_DATE_EPOCH=0.
#include "provisioning/boot/uboot_script.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bramble::boot {
namespace {

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

TEST(UbootScriptTest, IsWhatMkimageMakes) {
    EXPECT_EQ(
        hex(uboot_script(pxe_script, ScriptArch::arm64)),
        "27051956fa7af1f000000000000000260000000000000000a086df87051606006272616d626c6500"
        "0000000000000000000000000000000000000000000000000000001e000000006966207078652067"
        "65743b207468656e2070786520626f6f743b2066690a"
    );
}

TEST(UbootScriptTest, AnotherProcessorIsAnotherHeader) {
    const std::string arm64 = uboot_script("true\n", ScriptArch::arm64);
    const std::string arm = uboot_script("true\n", ScriptArch::arm);
    EXPECT_NE(arm.substr(4, 4), arm64.substr(4, 4));  // the header's checksum
    EXPECT_EQ(arm.substr(64), arm64.substr(64));
}

}  // namespace
}  // namespace bramble::boot
