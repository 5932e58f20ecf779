// Texts that keep a root's network managers from touching the link that the root hangs on: its
// address came with the kernel or the initramfs, and taking it down for a moment freezes the board.
// It refuses to know files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/types/mac_address.hpp"

namespace bramble::root {

// For /etc/systemd/network/05-bramble-root.network, and .link beside it (the name stays as it is).
// Without a MAC the link is known by the names that a Pi's port has: eth0, end0.
std::string networkd_network(std::optional<MacAddress> mac);
std::string networkd_link(std::optional<MacAddress> mac);

// For /etc/NetworkManager/conf.d/05-bramble-root.conf.
std::string network_manager_conf(std::optional<MacAddress> mac);

// /etc/dhcpcd.conf with Bramble's lines at its end; once, however often it is applied.
std::string dhcpcd_conf(std::string_view text);

// ifupdown's interfaces(5) in which nothing brings eth0 or end0 up or down by itself.
std::string ifupdown_interfaces(std::string_view text);

}  // namespace bramble::root
