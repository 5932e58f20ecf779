// The datagrams of RFC 1350 and 2347: octets against values, both ways, and cut off at every
// length.
#include "services/tftp/packet.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace bramble::tftp {
namespace {

using namespace std::string_literals;

std::span<const std::byte> octets(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The EEPROM's own request (fact sheet 2.1), 49 octets.
const std::string board_request =
    "\0\1d9780558/start4.elf\0octet\0tsize\0"s + "0\0blksize\0"s + "1024\0"s;

// Whatever was read is written again; nothing comes back as another value.
std::string emit_again(const Packet& packet) {
    static std::array<std::byte, 2048> buffer;
    if (const auto* request = std::get_if<Request>(&packet)) {
        return text(emit_request(*request, buffer));
    }
    if (const auto* data = std::get_if<Data>(&packet)) {
        return text(emit_data(data->block, data->payload, buffer));
    }
    if (const auto* ack = std::get_if<Ack>(&packet)) return text(emit_ack(ack->block, buffer));
    if (const auto* error = std::get_if<ErrorMessage>(&packet)) {
        return text(emit_error(static_cast<ErrorCode>(error->code), error->text, buffer));
    }
    return text(emit_oack(std::get<Oack>(packet).options, buffer));
}

TEST(PacketTest, ReadsTheBoardsRequest) {
    ASSERT_EQ(board_request.size(), 49U);
    const auto packet = parse(octets(board_request));
    ASSERT_TRUE(packet);
    const auto& request = std::get<Request>(*packet);
    EXPECT_FALSE(request.write);
    EXPECT_EQ(request.path, "d9780558/start4.elf");
    EXPECT_EQ(request.mode, Mode::octet);
    ASSERT_EQ(request.options.count, 2U);
    EXPECT_EQ(request.options.pairs[0], (OptionText{"tsize", "0"}));
    EXPECT_EQ(request.options.pairs[1], (OptionText{"blksize", "1024"}));
}

TEST(PacketTest, EmitThenParseIsTheIdentity) {
    for (const std::string& datagram :
         {board_request,
          "\0\1config.txt\0octet\0"s,
          "\0\2file\0netascii\0"s,
          "\0\3\0\1"s,
          "\0\3\xff\xff"s + std::string(1468, 'x'),
          "\0\4\0\0"s,
          "\0\4\xab\xcd"s,
          "\0\5\0\0Early terminate\0"s,
          "\0\5\0\10\0"s,
          "\0\6tsize\0"s + "0\0"s,
          "\0\6"s}) {
        const auto packet = parse(octets(datagram));
        ASSERT_TRUE(packet) << testing::PrintToString(datagram);
        EXPECT_EQ(emit_again(*packet), datagram) << testing::PrintToString(datagram);
    }
}

TEST(PacketTest, ARequestCutOffAtAnyLengthIsMalformedOrAShorterRequest) {
    for (std::size_t length = 0; length < board_request.size(); ++length) {
        const auto packet = parse(octets(board_request).first(length));
        // Whole pairs and nothing else: 28 is the request without options, 36 has tsize only.
        if (length == 28 || length == 36) {
            ASSERT_TRUE(packet) << length;
            EXPECT_EQ(std::get<Request>(*packet).options.count, length == 28 ? 0U : 1U);
        } else {
            EXPECT_FALSE(packet) << length;
            EXPECT_LE(packet.error().offset, length);
        }
    }
}

TEST(PacketTest, ShortFormsAreMalformedUpToTheNumberBehindTheOpcode) {
    for (const char opcode : {'\3', '\4', '\5'}) {
        const std::string datagram = "\0"s + opcode + "\0\1"s;
        for (std::size_t length = 0; length < 4; ++length) {
            EXPECT_FALSE(parse(octets(datagram).first(length))) << int{opcode} << ' ' << length;
        }
        EXPECT_TRUE(parse(octets(datagram))) << int{opcode};
    }
}

TEST(PacketTest, NamesWhatIsWrongAndWhere) {
    struct Case {
        std::string datagram;
        ParseError error;
    };

    for (const Case& c : {
             Case{""s, {Malformation::too_short, 0}},
             Case{"\0"s, {Malformation::too_short, 0}},
             Case{"\0\0"s, {Malformation::unknown_opcode, 0}},
             Case{"\0\7"s, {Malformation::unknown_opcode, 0}},
             Case{"\1\1file\0octet\0"s, {Malformation::unknown_opcode, 0}},
             Case{"\0\4\0"s, {Malformation::too_short, 2}},
             Case{"\0\1file"s, {Malformation::unterminated_text, 2}},
             Case{"\0\1\0octet\0"s, {Malformation::empty_path, 2}},
             Case{"\0\1file\0octet"s, {Malformation::unterminated_text, 7}},
             Case{"\0\1file\0octet\0blksize\0"s, {Malformation::option_without_value, 13}},
             Case{"\0\1file\0octet\0\0001\0"s, {Malformation::empty_option_name, 13}},
             Case{"\0\6blksize\0001"s, {Malformation::unterminated_text, 2}},
             Case{"\0\1"s + std::string(600, 'a'), {Malformation::request_too_long, 512}},
         }) {
        const auto packet = parse(octets(c.datagram));
        ASSERT_FALSE(packet) << testing::PrintToString(c.datagram);
        EXPECT_EQ(packet.error(), c.error) << testing::PrintToString(c.datagram);
    }
}

TEST(PacketTest, AnErrorWithoutItsNulIsReadAsFarAsItGoes) {
    const std::string datagram = "\0\5\0\0"s + std::string(1024, 'x');
    const auto packet = parse(octets(datagram));
    ASSERT_TRUE(packet);
    EXPECT_EQ(std::get<ErrorMessage>(*packet).text.size(), 1024U);
}

TEST(PacketTest, OptionsBeyondTheBoundAreReadAndNotKept) {
    std::string datagram = "\0\1f\0octet\0"s;
    for (std::size_t i = 0; i < option_pairs_max + 5; ++i) datagram += "o\0v\0"s;
    const auto packet = parse(octets(datagram));
    ASSERT_TRUE(packet);
    EXPECT_EQ(std::get<Request>(*packet).options.count, option_pairs_max);
}

TEST(PacketTest, EmitRefusesABufferThatIsTooSmall) {
    std::array<std::byte, 64> buffer{};
    const auto packet = parse(octets(board_request));
    for (std::size_t room = 0; room < board_request.size(); ++room) {
        const auto written =
            emit_request(std::get<Request>(*packet), std::span(buffer).first(room));
        EXPECT_TRUE(written.empty()) << room;
    }
}

TEST(BlockNumberTest, IsARing) {
    EXPECT_EQ(BlockNumber(65535).next(), BlockNumber(0));
    EXPECT_EQ(BlockNumber(65530).steps_to(BlockNumber(4)), 10);
    EXPECT_EQ(BlockNumber(4).steps_to(BlockNumber(3)), 65535);
    EXPECT_EQ(BlockNumber::of_count(65536), BlockNumber(0));
    EXPECT_EQ(BlockNumber::of_count(131'073), BlockNumber(1));
}

}  // namespace
}  // namespace bramble::tftp
