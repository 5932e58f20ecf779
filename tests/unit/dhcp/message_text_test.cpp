#include "services/dhcp/message_text.hpp"

#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp {
namespace {

using test::hex;
using test::ip;

std::string value_of(const Message& message, std::string_view name) {
    for (const NamedValue& line : describe(message)) {
        if (line.name == name) return line.value;
    }
    return "(none)";
}

TEST(MessageText, FieldsThatAreEmptyAreLeftOut) {
    Message message;
    message.type = MessageType::offer;
    message.yiaddr = ip("172.16.1.3");
    EXPECT_EQ(value_of(message, "message"), "DHCPOFFER");
    EXPECT_EQ(value_of(message, "yiaddr"), "172.16.1.3");
    EXPECT_EQ(value_of(message, "siaddr"), "(none)");
    EXPECT_EQ(value_of(message, "flags"), "(none)");
}

TEST(MessageText, OptionsHaveNumberNameAndAValueThatIsReadable) {
    Message message;
    message.options.set_address(OptionCode::router, ip("172.16.1.1"));
    message.options.set_u32(OptionCode::lease_time, 3600);
    message.options.set_text(OptionCode::tftp_server_name, "172.16.1.1");
    message.options.set(OptionCode::vendor_specific, hex("060103 0909000006 5069 20426f6f74 ff"));
    message.options.set(static_cast<OptionCode>(224), hex("0001"));
    EXPECT_EQ(value_of(message, "option 3 router"), "172.16.1.1");
    EXPECT_EQ(value_of(message, "option 51 lease time"), "1h 0m");
    EXPECT_EQ(value_of(message, "option 66 TFTP server name"), "\"172.16.1.1\"");
    EXPECT_EQ(
        value_of(message, "option 43 vendor specific"),
        "06 01 03 09 09 00 00 06 50 69 20 42 6f 6f 74 ff  |........Pi Boot.|"
    );
    EXPECT_EQ(value_of(message, "option 224"), "00 01");
}

// Values come from the network: whatever their length, and no control character reaches a terminal.
TEST(MessageText, OddValuesAreShownAsTheyAre) {
    Message message;
    message.options.set_text(OptionCode::host_name, "a\x1b[2J\\\"\xff");
    message.options.set(OptionCode::router, hex("ac1001"));
    message.options.set(OptionCode::lease_time, hex("01"));
    message.options.set(OptionCode::maximum_message_size, hex("010203040506"));
    message.options.set(OptionCode::domain_name_server, {});
    EXPECT_EQ(value_of(message, "option 12 host name"), R"("a\x1b[2J\x5c"\xff")");
    EXPECT_EQ(value_of(message, "option 3 router"), "ac 10 01");
    EXPECT_EQ(value_of(message, "option 51 lease time"), "01");
    EXPECT_EQ(value_of(message, "option 57 maximum message size"), "01 02 03 04 05 06");
    EXPECT_EQ(value_of(message, "option 6 domain name server"), "");
}

}  // namespace
}  // namespace bramble::dhcp
