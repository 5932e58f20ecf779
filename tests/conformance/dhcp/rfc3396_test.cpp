// RFC 3396: encoding long options.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

std::vector<std::byte> with_tail(const Message& message, std::string_view tail_hex) {
    auto bytes = emit(message);
    bytes.pop_back();
    const auto tail = hex(tail_hex);
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    return bytes;
}

const TestClient laptop("02:00:00:00:00:01");

// §5: "If the same option appears more than once, the decoding agent must concatenate the value
// portions in the order in which they appear."
TEST(Rfc3396, PartsAreJoined) {
    const auto message =
        parse(with_tail(laptop.discover(), "0c 02 70 69 3d 02 01 02 0c 03 2d 30 31 ff"));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->options.text(OptionCode::host_name), "pi-01");
    EXPECT_EQ(to_hex(message->options, OptionCode::client_identifier), "0102");
}

// An option that may not be longer is malformed when it comes twice.
TEST(Rfc3396, FixedLengthOptionInTwoPartsIsRefused) {
    EXPECT_EQ(
        parse(with_tail(laptop.discover(), "32 04 ac 10 01 03 32 04 ac 10 01 04 ff")).error().fault,
        ParseFault::bad_option
    );
    EXPECT_TRUE(parse(with_tail(laptop.discover(), "32 02 ac 10 32 02 01 03 ff")));
}

// §7: "the encoding agent … splits the option into parts of at most 255 octets".
TEST(Rfc3396, LongOptionIsSplitAndReadBack) {
    for (const std::size_t length : {0U, 1U, 254U, 255U, 256U, 510U, 511U, 900U}) {
        Message message = laptop.discover();
        message.options.set(
            OptionCode::relay_agent, std::vector<std::byte>(length, std::byte{0x5a})
        );
        const auto bytes = emit(message);
        EXPECT_EQ(bytes.size(), wire_size(message)) << length;
        const auto back = parse(bytes);
        ASSERT_TRUE(back) << length;
        EXPECT_EQ(*back, message) << length;
    }
}

}  // namespace
}  // namespace bramble::dhcp::test
