// RFC 4578 and PXE 2.1: network boot clients that are no Raspberry Pi. Their messages are those of
// the lab facts, section 1.
#include <gtest/gtest.h>

#include "tests/conformance/dhcp/lab.hpp"

namespace bramble::dhcp::test {
namespace {

constexpr std::string_view uuid = "0012345678123412341234123456789abc";
constexpr std::string_view url = "http://172.16.1.1/boot/vm.efi";

TestClient uefi(std::string_view mac_text) {
    TestClient out(mac_text);
    out.always.set_u16(OptionCode::maximum_message_size, 1472);
    out.always.set(
        OptionCode::parameter_request_list, hex("01 02 03 04 05 06 0c 0d 0f 11 2b 36 3c 42 43 61")
    );
    out.always.set(OptionCode::machine_identifier, hex(uuid));
    out.always.set(OptionCode::network_interface, hex("01 03 00"));
    out.always.set_u16(OptionCode::client_architecture, 11);
    out.always.set_text(OptionCode::vendor_class, "PXEClient:Arch:00011:UNDI:003000");
    return out;
}

TestClient http_boot(std::string_view mac_text) {
    TestClient out = uefi(mac_text);
    out.always.set_u16(OptionCode::client_architecture, 19);
    out.always.set_text(OptionCode::vendor_class, "HTTPClient:Arch:00019:UNDI:003000");
    return out;
}

// As a Raspberry Pi, but for the options of its own and a UUID of zeros.
TestClient ipxe(std::string_view mac_text) {
    TestClient out(mac_text);
    out.always.set_u16(OptionCode::maximum_message_size, 1472);
    out.always.set_u16(OptionCode::client_architecture, 0);
    out.always.set(OptionCode::network_interface, hex("01 02 01"));
    out.always.set_text(OptionCode::vendor_class, "PXEClient:Arch:00000:UNDI:002001");
    out.always.set_text(OptionCode::user_class, "iPXE");
    out.always.set(
        OptionCode::parameter_request_list, hex("01 03 06 07 0c 0f 11 1a 2b 3c 42 43 77 80 af cb")
    );
    out.always.set(OptionCode::etherboot, hex("b1 05 01 10 ec 81 39"));
    out.always.set(OptionCode::machine_identifier, hex("0000000000000000000000000000000000"));
    return out;
}

TestClient u_boot(std::string_view mac_text) {
    TestClient out(mac_text);
    out.always.set_u16(OptionCode::maximum_message_size, 576);
    out.always.set(OptionCode::parameter_request_list, hex("01 03 06 0c 11"));
    out.always.set_u16(OptionCode::client_architecture, 22);
    out.always.set_text(OptionCode::vendor_class, "U-Boot.armv8");
    return out;
}

constexpr std::string_view vm = "52:54:00:00:00:01";
constexpr std::string_view vm_url = "52:54:00:00:00:02";
constexpr std::string_view vm_bare = "52:54:00:00:00:03";

TEST(Recognition, ByWhatTheClientsSend) {
    const std::pair<TestClient, ClientKind> cases[] = {
        {uefi(vm), ClientKind::pxe},
        {http_boot(vm), ClientKind::http_boot},
        {ipxe(vm), ClientKind::ipxe},
        {u_boot(vm), ClientKind::u_boot},
        {TestClient(vm), ClientKind::plain},
        {pi_client(pi_mac, Serial(0x1234abcd)), ClientKind::pi_firmware}};
    for (const auto& [client, kind] : cases) {
        EXPECT_EQ(recognise(client.discover()).kind, kind) << to_string(kind);
    }
}

TEST(UBoot, GetsTheFileFieldAndTheServer) {
    Lab lab;
    Message discover = u_boot(vm).discover();
    discover.file = "boot.scr.uimg";  // its preset
    const auto offer = lab.answer(discover, at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->yiaddr, ip("172.16.1.20"));
    EXPECT_EQ(offer->siaddr, ip(server_text));
    EXPECT_EQ(offer->file, "grub/grubaa64.efi");
    EXPECT_EQ(offer->options.text(OptionCode::host_name), "vm-01");
    EXPECT_FALSE(offer->options.has(OptionCode::bootfile_name));  // not asked for
}

// Without a boot file in its profile it boots by its own preset; it needs the server's address.
TEST(UBoot, WithoutABootfileKeepsItsOwn) {
    Lab lab;
    const auto offer = lab.answer(u_boot(vm_bare).discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->siaddr, ip(server_text));
    EXPECT_EQ(offer->file, "");
}

TEST(UBoot, IsNotToldAUrl) {
    Lab lab;
    EXPECT_EQ(lab.answer(u_boot(vm_url).discover(), at(0s))->file, "");
}

TEST(Uefi, GetsFileAndOption67) {
    Lab lab;
    const auto offer = lab.answer(uefi(vm).discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->siaddr, ip(server_text));
    EXPECT_EQ(offer->file, "grub/grubaa64.efi");
    EXPECT_EQ(offer->options.text(OptionCode::bootfile_name), "grub/grubaa64.efi");
    EXPECT_EQ(offer->options.text(OptionCode::tftp_server_name), server_text);
    EXPECT_FALSE(offer->options.has(OptionCode::vendor_class));  // a plain DHCP offer with a file
    EXPECT_FALSE(offer->options.has(OptionCode::vendor_specific));
}

// RFC 4578 §2.3: option 97 "MUST be present in all DHCP and PXE packets sent by PXE-compliant
// clients and servers."
TEST(Uefi, MachineIdentifierIsReturned) {
    Lab lab;
    const TestClient client = uefi(vm);
    const auto offer = lab.answer(client.discover(), at(0s));
    const auto ack = lab.answer(client.selecting(offer->yiaddr), at(0s));
    EXPECT_EQ(to_hex(offer->options, OptionCode::machine_identifier), uuid);
    EXPECT_EQ(to_hex(ack->options, OptionCode::machine_identifier), uuid);
}

TEST(HttpBoot, GetsItsClassAndTheUrl) {
    Lab lab;
    const auto offer = lab.answer(http_boot(vm_url).discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->options.text(OptionCode::vendor_class), "HTTPClient");
    EXPECT_EQ(offer->options.text(OptionCode::bootfile_name), url);
    EXPECT_EQ(offer->file, url);
}

TEST(HttpBoot, IsHeldWhenTheProfileNamesNoUrl) {
    Lab lab;
    const Outcome out = lab.send(http_boot(vm).discover(), at(0s));
    EXPECT_TRUE(out.replies.empty());
    ASSERT_NE(find_event<Held>(out), nullptr);
    EXPECT_EQ(find_event<Held>(out)->reason, HoldReason::no_bootfile);
}

TEST(Ipxe, GetsTftpPathAndUrlAlike) {
    Lab lab;
    EXPECT_EQ(lab.answer(ipxe(vm).discover(), at(0s))->file, "grub/grubaa64.efi");
    EXPECT_EQ(
        lab.answer(ipxe(vm_url).discover(), at(0s))->options.text(OptionCode::bootfile_name), url
    );
}

TEST(Bootfile, TooLongForTheFieldStandsInTheOptionAlone) {
    fleet::Fleet fleet = lab_fleet();
    const std::string path = std::string(150, 'p') + "/boot.efi";
    fleet.profiles[2].dhcp_bootfile = path;
    Lab lab(fleet);
    const auto offer = lab.answer(u_boot(vm).discover(), at(0s));
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->file, "");
    EXPECT_EQ(offer->options.text(OptionCode::bootfile_name), path);
}

// GRUB's own DHCP shows nothing of itself (lab facts §1).
TEST(Grub, GetsTheServerAndWhatItAsksFor) {
    Lab lab;
    Message discover = TestClient(vm).discover();
    EXPECT_EQ(lab.answer(discover, at(0s))->siaddr, ip(server_text));
    EXPECT_EQ(lab.answer(discover, at(0s))->file, "");
    discover.options.set(OptionCode::parameter_request_list, hex("01 03 43"));
    EXPECT_EQ(lab.answer(discover, at(0s))->file, "grub/grubaa64.efi");
}

}  // namespace
}  // namespace bramble::dhcp::test
