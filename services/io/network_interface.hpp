// What the machine says of a network interface: its index, hardware address and IPv4 addresses. It
// refuses to change any of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"

namespace bramble::io {

struct NetworkInterface {
    std::string name;
    int index = 0;
    MacAddress mac;
    bool is_up = false;
    std::vector<Ipv4Address> addresses;
};

// Errors: no such interface (the message lists those that exist).
[[nodiscard]] Result<NetworkInterface> find_network_interface(const std::string& name);

// What its link was negotiated to. None: down, or an interface without a speed of its own.
std::optional<std::uint64_t> link_bits_per_second(const std::string& name);

}  // namespace bramble::io
