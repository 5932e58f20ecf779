#include "tests/conformance/dhcp/lab.hpp"

#include "config/types/text.hpp"

namespace bramble::dhcp::test {
namespace {

fleet::Board board(
    std::string name, std::string profile, std::string_view mac_text, std::string_view address_text
) {
    fleet::Board out;
    out.name = std::move(name);
    out.profile = std::move(profile);
    if (!mac_text.empty()) out.mac = mac(mac_text);
    if (!address_text.empty()) out.address = ip(address_text);
    return out;
}

}  // namespace

std::vector<std::byte> hex(std::string_view text) {
    std::vector<std::byte> out;
    int high = -1;
    for (const char c : text) {
        const int value = hex_value(c);
        if (value < 0) continue;
        if (high < 0) {
            high = value;
        } else {
            out.push_back(static_cast<std::byte>(high << 4 | value));
            high = -1;
        }
    }
    return out;
}

std::string to_hex(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const std::byte b : bytes) {
        out.push_back(digits[std::to_integer<unsigned>(b) >> 4U]);
        out.push_back(digits[std::to_integer<unsigned>(b) & 15U]);
    }
    return out;
}

std::string to_hex(const Options& options, OptionCode code) {
    const auto value = options.find(code);
    return value ? to_hex(*value) : "absent";
}

fleet::Fleet lab_fleet() {
    fleet::Fleet fleet;
    fleet::Appliance& appliance = fleet.appliance;
    appliance.interface = "eth1";
    appliance.address = Ipv4Network::parse("172.16.1.1/24").value();
    appliance.dhcp.pool = Ipv4Range{ip("172.16.1.100"), ip("172.16.1.110")};
    appliance.dhcp.lease = std::chrono::hours(1);
    appliance.dhcp.router = ip("172.16.1.254");
    appliance.dhcp.dns = {ip("172.16.1.253")};
    appliance.dhcp.domain = "lab.example";

    fleet::Profile lab;
    lab.name = "lab";
    fleet::Profile old;
    old.name = "old";
    old.model = BoardModel::pi3;
    fleet::Profile vm;
    vm.name = "vm";
    vm.model = BoardModel::generic;
    vm.dhcp_bootfile = "grub/grubaa64.efi";
    fleet::Profile url = vm;
    url.name = "url";
    url.dhcp_bootfile = "http://172.16.1.1/boot/vm.efi";
    fleet::Profile bare = vm;
    bare.name = "bare";
    bare.dhcp_bootfile.reset();
    fleet.profiles = {lab, old, vm, url, bare};

    fleet.boards = {
        board("pi-01", "lab", pi_mac, "172.16.1.3"),
        board("pi-02", "lab", "", "172.16.1.4"),
        board("pi-03", "old", "b8:27:eb:01:02:03", "172.16.1.5"),
        board("pi-pool", "lab", "", ""),
        board("vm-01", "vm", "52:54:00:00:00:01", "172.16.1.20"),
        board("vm-url", "url", "52:54:00:00:00:02", "172.16.1.21"),
        board("vm-bare", "bare", "52:54:00:00:00:03", "172.16.1.22")};
    fleet.boards[0].serial = Serial(0x1234abcd);
    fleet.boards[1].serial = Serial(0x5b154510);
    fleet.boards[3].serial = Serial(0x0badcafe);
    return fleet;
}

TestClient pi_client(std::string_view mac_text, Serial serial, MachineIdForm form) {
    TestClient out(mac_text);
    out.always.set(
        OptionCode::parameter_request_list, hex("01 03 2b 3c 42 43 80 81 82 83 84 85 86 87")
    );
    out.always.set_u16(OptionCode::client_architecture, 0);
    out.always.set(OptionCode::network_interface, hex("01 02 01"));
    const auto id = emit_machine_id(form, serial, RevisionCode(0x00c03112), out.hardware);
    out.always.set(OptionCode::machine_identifier, id);
    out.always.set_text(OptionCode::vendor_class, "PXEClient:Arch:00000:UNDI:002001");
    return out;
}

}  // namespace bramble::dhcp::test
