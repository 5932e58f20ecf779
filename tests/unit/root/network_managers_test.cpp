// The link that the root hangs on is left alone (fact sheet 7.2).
#include "provisioning/root/network_managers.hpp"

#include <gtest/gtest.h>

namespace bramble::root {
namespace {

const MacAddress mac = MacAddress::parse("dc:a6:32:01:02:03").value();

TEST(Networkd, IsToldByMacWhereItIsKnown) {
    EXPECT_EQ(
        networkd_network(mac),
        "# bramble: the root hangs on this link; its address came with the kernel.\n"
        "[Match]\nMACAddress=dc:a6:32:01:02:03\n\n[Link]\nUnmanaged=yes\n"
    );
    EXPECT_NE(networkd_network(std::nullopt).find("Name=eth0 end0\n"), std::string::npos);
    EXPECT_NE(networkd_link(mac).find("NamePolicy=keep\n"), std::string::npos);
}

TEST(NetworkManager, IsToldByMacWhereItIsKnown) {
    EXPECT_EQ(
        network_manager_conf(mac),
        "# bramble: the root hangs on this link.\n"
        "[device-bramble-root]\nmatch-device=mac:dc:a6:32:01:02:03\nmanaged=0\n"
    );
}

TEST(Dhcpcd, GetsItsLinesOnce) {
    const std::string once = dhcpcd_conf("hostname\npersistent");
    EXPECT_EQ(
        once,
        "hostname\npersistent\n# bramble: the root hangs on this link\ndenyinterfaces eth0 end0\n"
    );
    EXPECT_EQ(dhcpcd_conf(once), once);
}

TEST(Ifupdown, LosesItsAutomaticRootInterfaceAndNothingElse) {
    const std::string once =
        ifupdown_interfaces("auto lo eth0\nallow-hotplug end0\niface eth0 inet dhcp\nauto wlan0\n");
    EXPECT_EQ(
        once,
        "# bramble: the root hangs on this link | auto lo eth0\nauto lo\n"
        "# bramble: the root hangs on this link | allow-hotplug end0\n"
        "iface eth0 inet dhcp\nauto wlan0\n"
    );
    EXPECT_EQ(ifupdown_interfaces(once), once);
    EXPECT_EQ(ifupdown_interfaces(""), "");
}

}  // namespace
}  // namespace bramble::root
