// Option 82, the relay agent information option (RFC 3046), read for logs. It refuses to be
// rebuilt: a server returns the octets that it was given.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace bramble::dhcp {

struct RelayAgentInfo {
    std::string circuit_id;  // sub-option 1; any octets
    std::string remote_id;   // sub-option 2; any octets

    friend bool operator==(const RelayAgentInfo&, const RelayAgentInfo&) = default;
};

// Nothing: a sub-option that ends after the value. Unknown sub-options are skipped.
std::optional<RelayAgentInfo> parse_relay_agent(std::span<const std::byte> value);

}  // namespace bramble::dhcp
