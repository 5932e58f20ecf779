// Any bytes as a firewall's rules, as a socket table and as a frame from the wire: each is read or
// left out, and every walk through the rules ends.
#include <cstdint>
#include <span>
#include <string_view>

#include "services/doctor/bridge_frame.hpp"
#include "services/doctor/firewall.hpp"
#include "services/doctor/socket_table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::doctor;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto rules = parse_ruleset(text)) {
        passage(*rules, "eth1", Transport::udp, 69);
        passage(*rules, "eth1", Transport::tcp, 2049);
    }
    parse_socket_table(text, Transport::udp);
    parse_socket_table(text, Transport::tcp);
    parse_bridge_frame(std::as_bytes(std::span(data, size)));
    return 0;
}
