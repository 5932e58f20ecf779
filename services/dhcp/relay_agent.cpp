#include "services/dhcp/relay_agent.hpp"

#include <cstdint>

#include "services/bytes/byte_reader.hpp"

namespace bramble::dhcp {

std::optional<RelayAgentInfo> parse_relay_agent(std::span<const std::byte> value) {
    constexpr std::uint8_t circuit_id = 1;  // RFC 3046 §3.1
    constexpr std::uint8_t remote_id = 2;   // RFC 3046 §3.2
    RelayAgentInfo out;
    ByteReader reader(value);
    while (!reader.at_end()) {
        const std::uint8_t code = *reader.u8();
        const auto length = reader.u8();
        const auto bytes = length ? reader.take(*length) : std::nullopt;
        if (!bytes) return std::nullopt;
        std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        if (code == circuit_id) out.circuit_id = std::move(text);
        if (code == remote_id) out.remote_id = std::move(text);
    }
    return out;
}

}  // namespace bramble::dhcp
