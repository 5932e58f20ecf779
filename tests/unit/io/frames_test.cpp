#include "services/io/frames.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace bramble::io {
namespace {

std::vector<std::byte> from_hex(std::string_view text) {
    std::vector<std::byte> out;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') continue;
        const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            out.push_back(static_cast<std::byte>(high << 4 | digit));
            high = -1;
        }
    }
    return out;
}

std::vector<std::byte> payload_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

const UdpEndpoint server{
    *MacAddress::parse("02:00:00:00:00:01"), *Ipv4Address::parse("172.16.1.1"), 67};
const UdpEndpoint board{
    *MacAddress::parse("dc:a6:32:01:02:03"), *Ipv4Address::parse("172.16.1.3"), 68};

std::vector<std::byte> udp_frame(std::span<const std::byte> payload) {
    std::vector<std::byte> out(1600);
    out.resize(write_udp_frame(out, server, board, payload));
    return out;
}

// RFC 1071 §3: the numerical example sums to ddf2, whose complement is 220d.
TEST(InternetChecksum, SumsTheRfcsOwnExample) {
    EXPECT_EQ(internet_checksum(from_hex("00 01 f2 03 f4 f5 f6 f7")), 0x220d);
}

// A published IPv4 header whose checksum field reads b861.
TEST(InternetChecksum, AgreesWithAKnownHeader) {
    EXPECT_EQ(
        internet_checksum(from_hex("4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7")), 0xb861
    );
    EXPECT_EQ(internet_checksum(from_hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7")), 0);
}

TEST(InternetChecksum, PadsAnOddByteOnTheRight) {
    EXPECT_EQ(internet_checksum(from_hex("01")), internet_checksum(from_hex("0100")));
}

// Checksums worked out by hand: IP 4500 001f 0000 4000 4011 .. ac10 0101 ac10 0103; UDP over
// ac10 0101 ac10 0103 0011 000b 0043 0044 000b 0000 6162 6300.
TEST(UdpFrame, IsTheseBytes) {
    EXPECT_EQ(
        udp_frame(payload_of("abc")),
        from_hex("dca632010203 020000000001 0800"
                 "4500001f 00004000 4011e0a9 ac100101 ac100103"
                 "00430044 000be0c9 616263")
    );
}

TEST(UdpFrame, CarriesChecksumsThatAReceiverAccepts) {
    for (const std::string_view text : {"", "a", "ab", "a longer payload of odd length"}) {
        const auto payload = payload_of(text);
        const auto frame = udp_frame(payload);
        ASSERT_EQ(frame.size(), 42 + payload.size());
        EXPECT_EQ(internet_checksum(std::span(frame).subspan(14, 20)), 0);
        // The pseudo header and the datagram together: what a receiver sums.
        std::vector<std::byte> covered(frame.begin() + 26, frame.begin() + 34);
        const auto length = static_cast<std::uint16_t>(8 + payload.size());
        for (const unsigned value : {0U, 17U, unsigned{length} >> 8U, unsigned{length} & 0xffU}) {
            covered.push_back(static_cast<std::byte>(value));
        }
        covered.insert(covered.end(), frame.begin() + 34, frame.end());
        EXPECT_EQ(internet_checksum(covered), 0);
    }
}

// RFC 768: a computed checksum of zero is transmitted as all ones; zero would mean "none".
TEST(UdpFrame, SendsAZeroChecksumAsAllOnes) {
    auto payload = payload_of("ab");
    const auto plain = udp_frame(payload);
    // Adding the checksum to the payload's one word makes the sum complete.
    const auto high = static_cast<unsigned>(plain[40]);
    const auto low = static_cast<unsigned>(plain[41]);
    const unsigned word = 0x6162U + (high << 8U | low);
    const unsigned folded = (word & 0xffffU) + (word >> 16U);
    payload = {static_cast<std::byte>(folded >> 8U), static_cast<std::byte>(folded)};
    const auto frame = udp_frame(payload);
    EXPECT_EQ(frame[40], std::byte{0xff});
    EXPECT_EQ(frame[41], std::byte{0xff});
}

TEST(UdpFrame, RefusesWhatOnePacketCannotCarry) {
    std::vector<std::byte> out(2000);
    EXPECT_EQ(
        write_udp_frame(out, server, board, std::vector<std::byte>(udp_payload_max)),
        udp_payload_max + 42
    );
    EXPECT_EQ(write_udp_frame(out, server, board, std::vector<std::byte>(udp_payload_max + 1)), 0U);
    EXPECT_EQ(write_udp_frame(std::span(out).first(44), server, board, payload_of("abc")), 0U);
}

// RFC 5227 §2.1.1: broadcast, the sender's protocol address all zeros.
TEST(ArpProbe, IsTheseBytes) {
    std::array<std::byte, 64> out{};
    const std::size_t size = write_arp_probe(out, server.mac, board.address);
    EXPECT_EQ(
        std::vector<std::byte>(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)),
        from_hex("ffffffffffff 020000000001 0806"
                 "0001 0800 06 04 0001 020000000001 00000000 000000000000 ac100103")
    );
}

TEST(ArpProbe, ClaimsNoAddressItself) {
    std::array<std::byte, 64> out{};
    const std::size_t size = write_arp_probe(out, server.mac, board.address);
    EXPECT_EQ(parse_arp(std::span(out).first(size)), std::nullopt);
}

TEST(ArpSighting, IsTheSenderOfARequestOrReply) {
    for (const std::string_view operation : {"0001", "0002"}) {
        const auto frame = from_hex(
            "020000000001 dca632010203 0806 0001 0800 06 04" + std::string(operation) +
            "dca632010203 ac100103 020000000001 ac100101"
        );
        EXPECT_EQ(parse_arp(frame), (ArpSighting{board.mac, board.address}));
    }
}

TEST(ArpSighting, IsNothingWhenTruncatedAnywhereOrNotArp) {
    const auto frame = from_hex(
        "020000000001 dca632010203 0806 0001 0800 06 04 0002"
        "dca632010203 ac100103"
    );
    ASSERT_TRUE(parse_arp(frame));
    for (std::size_t size = 0; size < frame.size(); ++size) {
        EXPECT_FALSE(parse_arp(std::span(frame).first(size))) << size;
    }
    for (const std::size_t at : {12U, 14U, 16U, 18U, 19U, 20U}) {
        auto other = frame;
        other[at] = std::byte{0x77};
        EXPECT_FALSE(parse_arp(other)) << at;
    }
}

}  // namespace
}  // namespace bramble::io
