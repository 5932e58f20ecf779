// What tells one DHCP client from another: its client identifier, else its hardware address (RFC
// 2131 §4.2). It refuses to know boards.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "config/types/mac_address.hpp"

namespace bramble::dhcp {

class ClientKey {
public:
    static ClientKey of_mac(MacAddress mac) {
        return ClientKey('m', {mac.octets().begin(), mac.octets().end()});
    }

    // A client identifier of hardware type 1 (Ethernet) with `mac` in it is the MAC in other words
    // (RFC 2132 §9.14); so is one of fewer than 2 octets, which no RFC allows.
    static ClientKey of_client_id(std::span<const std::uint8_t> id, MacAddress mac) {
        constexpr std::uint8_t ethernet = 1;
        const bool spells_mac =
            id.size() == MacAddress::size + 1 && id[0] == ethernet &&
            std::equal(id.begin() + 1, id.end(), mac.octets().begin(), mac.octets().end());
        if (id.size() < 2 || spells_mac) return of_mac(mac);
        return ClientKey('i', {id.begin(), id.end()});
    }

    // The client identifier; empty when the client goes by its MAC.
    std::vector<std::uint8_t> client_id() const {
        if (bytes_.front() != 'i') return {};
        return {bytes_.begin() + 1, bytes_.end()};
    }

    const std::string& bytes() const { return bytes_; }

    friend bool operator==(const ClientKey&, const ClientKey&) = default;

private:
    ClientKey(char kind, const std::vector<std::uint8_t>& octets) : bytes_(1, kind) {
        bytes_.append(octets.begin(), octets.end());
    }

    std::string bytes_;
};

}  // namespace bramble::dhcp

template <>
struct std::hash<bramble::dhcp::ClientKey> {
    std::size_t operator()(const bramble::dhcp::ClientKey& key) const noexcept {
        return std::hash<std::string>{}(key.bytes());
    }
};
