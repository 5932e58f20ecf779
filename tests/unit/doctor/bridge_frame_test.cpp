#include "services/doctor/bridge_frame.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace bramble::doctor {
namespace {

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
    std::vector<std::byte> out;
    for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
    return out;
}

// IEEE 802.1D-2004 figure 9-1: a configuration message of bridge 8000.0211223344ff, port 8003.
std::vector<std::byte> configuration() {
    return bytes({0x01, 0x80, 0xc2, 0x00, 0x00, 0x00, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 0x00,
                  0x26, 0x42, 0x42, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x02, 0x11,
                  0x22, 0x33, 0x44, 0xff, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x02, 0x11, 0x22,
                  0x33, 0x44, 0xff, 0x80, 0x03, 0x00, 0x00, 0x14, 0x00, 0x02, 0x00, 0x0f, 0x00});
}

TEST(BridgeFrame, ClassicSpanningTreeSaysItsForwardDelay) {
    const BridgeFrame expected{
        SpanningTree::classic, *MacAddress::parse("02:11:22:33:44:ff"), 3, 15, std::nullopt};
    EXPECT_EQ(parse_bridge_frame(configuration()), expected);
}

TEST(BridgeFrame, RapidSpanningTreeSaysWhetherThePortForwards) {
    auto frame = configuration();
    frame[17 + 2] = std::byte{2};
    frame[17 + 3] = std::byte{2};
    frame[17 + 4] = std::byte{0x3c};  // designated, learning, forwarding
    const auto forwarding = parse_bridge_frame(frame);
    ASSERT_TRUE(forwarding);
    EXPECT_EQ(forwarding->kind, SpanningTree::rapid);
    EXPECT_EQ(forwarding->forwarding, true);
    frame[17 + 4] = std::byte{0x0c};
    EXPECT_EQ(parse_bridge_frame(frame)->forwarding, false);
}

TEST(BridgeFrame, NothingOfAnyLengthThatIsCutShort) {
    const auto whole = configuration();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse_bridge_frame(std::span(whole).first(size))) << size;
    }
}

TEST(BridgeFrame, OtherFramesAreNone) {
    auto other_group = configuration();
    other_group[5] = std::byte{0x0e};  // LLDP's
    EXPECT_FALSE(parse_bridge_frame(other_group));
    auto other_protocol = configuration();
    other_protocol[14] = std::byte{0xaa};
    EXPECT_FALSE(parse_bridge_frame(other_protocol));
    auto topology_change = configuration();
    topology_change[17 + 3] = std::byte{0x80};
    EXPECT_FALSE(parse_bridge_frame(topology_change));
}

}  // namespace
}  // namespace bramble::doctor
