#include "services/dhcp/pxe_options.hpp"

#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp {
namespace {

using test::hex;
using test::to_hex;

constexpr std::string_view known_good =
    "0601030a0400505845091400001152617370626572727920506920426f6f74ff";

TEST(PxeOptions, KnownGoodBytes) {
    EXPECT_EQ(to_hex(raspberry_pi_vendor_options(raspberry_pi_boot)), known_good);
    EXPECT_EQ(raspberry_pi_vendor_options(raspberry_pi_boot).size(), 0x20U);
    EXPECT_EQ(
        to_hex(raspberry_pi_vendor_options(raspberry_pi_boot_pi3)),
        "0601030a0400505845091700001452617370626572727920506920426f6f74202020ff"
    );
}

TEST(PxeOptions, KnownGoodBytesRead) {
    const auto options = parse_pxe_options(hex(known_good));
    ASSERT_TRUE(options);
    EXPECT_EQ(options->discovery_control, 3);
    EXPECT_EQ(options->prompt, "PXE");
    EXPECT_EQ(options->prompt_timeout_s, 0);
    ASSERT_EQ(options->menu.size(), 1U);
    EXPECT_EQ(options->menu[0], (BootMenuEntry{0, "Raspberry Pi Boot"}));
}

TEST(PxeOptions, EmitThenParseIsTheIdentity) {
    PxeOptions options;
    options.discovery_control = 8;
    options.prompt = "Press F8";
    options.prompt_timeout_s = 10;
    options.menu = {{0, "one"}, {0x8001, ""}, {2, "three"}};
    EXPECT_EQ(parse_pxe_options(emit_pxe_options(options)), options);
    EXPECT_EQ(parse_pxe_options(emit_pxe_options({})), PxeOptions{});
}

// A cut inside a sub-option is seen; a cut between two is a shorter list.
TEST(PxeOptions, TruncationAtEveryLength) {
    const auto bytes = hex(known_good);
    const std::size_t boundaries[] = {0, 3, 9, 31};
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const bool whole =
            std::find(std::begin(boundaries), std::end(boundaries), length) != std::end(boundaries);
        EXPECT_EQ(parse_pxe_options(std::span(bytes).first(length)).has_value(), whole) << length;
    }
}

TEST(PxeOptions, LengthsThatLie) {
    for (const std::string_view bad :
         {"0600ff", "0a00ff", "090200", "09030000ffff", "0904000002", "06ff", "09"}) {
        EXPECT_FALSE(parse_pxe_options(hex(bad))) << bad;
    }
}

}  // namespace
}  // namespace bramble::dhcp
