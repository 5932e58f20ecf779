#include "services/io/network_interface.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include "services/io/file_descriptor.hpp"

namespace bramble::io {
namespace {

void take_address(NetworkInterface& found, const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in ip{};
        std::memcpy(&ip, &address, sizeof ip);
        found.addresses.emplace_back(ntohl(ip.sin_addr.s_addr));
    } else if (address.sa_family == AF_PACKET) {
        sockaddr_ll link{};
        std::memcpy(&link, &address, sizeof link);
        found.index = link.sll_ifindex;
        std::array<std::uint8_t, MacAddress::size> octets{};
        std::copy_n(std::begin(link.sll_addr), octets.size(), octets.begin());
        found.mac = MacAddress(octets);
    }
}

}  // namespace

Result<NetworkInterface> find_network_interface(const std::string& name) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return fail(fmt::format("cannot list network interfaces: {}", std::strerror(errno)));
    }
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);

    NetworkInterface found{.name = name, .index = 0, .mac = {}, .is_up = false, .addresses = {}};
    std::set<std::string> names;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        names.insert(entry->ifa_name);
        if (name != entry->ifa_name || entry->ifa_addr == nullptr) continue;
        found.is_up = (entry->ifa_flags & IFF_UP) != 0;
        take_address(found, *entry->ifa_addr);
    }
    if (found.index == 0) {
        std::string known;
        for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
        return fail(fmt::format(
            "there is no network interface '{}' (this machine has: {}): set appliance.interface",
            name,
            known
        ));
    }
    return found;
}

std::optional<std::uint64_t> link_bits_per_second(const std::string& name) {
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_cmd command{};
    command.cmd = ETHTOOL_GSET;  // asks no privilege, and every kernel still answers it
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&command);
    if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) return std::nullopt;
    const std::uint32_t megabits = ethtool_cmd_speed(&command);
    if (megabits == 0 || megabits == static_cast<std::uint32_t>(SPEED_UNKNOWN)) {
        return std::nullopt;
    }
    return std::uint64_t{megabits} * 1'000'000;
}

}  // namespace bramble::io
