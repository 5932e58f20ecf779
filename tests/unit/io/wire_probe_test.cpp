// What the doctor hears: a UDP datagram is taken from a frame only when every length agrees.
#include "services/io/wire_probe.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace bramble::io {
namespace {

constexpr std::size_t ip_at = 14;
constexpr std::size_t udp_at = 34;

// 172.16.1.9:67 → 255.255.255.255:68 with the payload "offer", sent by 02:00:00:00:00:09.
std::vector<std::byte> frame() {
    static constexpr std::string_view octets(
        "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x09\x08\x00"
        "\x45\x00\x00\x21\x00\x00\x00\x00\x40\x11\x00\x00\xac\x10\x01\x09\xff\xff\xff\xff"
        "\x00\x43\x00\x44\x00\x0d\x00\x00offer",
        47
    );
    std::vector<std::byte> out;
    for (const char octet : octets) out.push_back(static_cast<std::byte>(octet));
    return out;
}

std::vector<std::byte> changed(std::size_t at, int octet) {
    auto out = frame();
    out.at(at) = static_cast<std::byte>(octet);
    return out;
}

std::string text(std::span<const std::byte> payload) {
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

TEST(WireProbe, TakesTheDatagramAndItsSender) {
    const auto bytes = frame();
    const auto heard = udp_to_port(bytes, 68);
    ASSERT_TRUE(heard);
    EXPECT_EQ(text(heard->payload), "offer");
    EXPECT_EQ(heard->source.to_string(), "172.16.1.9");
    EXPECT_EQ(heard->mac.to_string(), "02:00:00:00:00:09");
}

TEST(WireProbe, LeavesOutWhatTheWireAddedToFillTheFrame) {
    auto bytes = frame();
    bytes.resize(60);
    const auto heard = udp_to_port(bytes, 68);
    ASSERT_TRUE(heard);
    EXPECT_EQ(text(heard->payload), "offer");
}

TEST(WireProbe, RefusesOtherTraffic) {
    EXPECT_FALSE(udp_to_port(frame(), 67)) << "another port";
    EXPECT_FALSE(udp_to_port(changed(12, 0x86), 68)) << "not IPv4";
    EXPECT_FALSE(udp_to_port(changed(ip_at + 9, 6), 68)) << "TCP";
    EXPECT_FALSE(udp_to_port(changed(ip_at + 6, 0x20), 68)) << "a first fragment";
    EXPECT_FALSE(udp_to_port(changed(ip_at + 7, 1), 68)) << "a later fragment";
}

TEST(WireProbe, RefusesLengthsThatDisagree) {
    EXPECT_FALSE(udp_to_port(changed(ip_at, 0x44), 68)) << "a header shorter than 20 octets";
    EXPECT_FALSE(udp_to_port(changed(ip_at, 0x4f), 68)) << "a header beyond the packet";
    EXPECT_FALSE(udp_to_port(changed(ip_at + 3, 0x22), 68)) << "a packet beyond the frame";
    EXPECT_FALSE(udp_to_port(changed(ip_at + 3, 0x1b), 68)) << "no room for the UDP header";
    EXPECT_FALSE(udp_to_port(changed(udp_at + 5, 0x0e), 68)) << "a datagram beyond the packet";
    EXPECT_FALSE(udp_to_port(changed(udp_at + 5, 7), 68)) << "shorter than its own header";
    const auto bytes = frame();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(udp_to_port(std::span(bytes).first(size), 68)) << size;
    }
}

}  // namespace
}  // namespace bramble::io
