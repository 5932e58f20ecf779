// The options of one DHCP message as an ordered bag of bytes (RFC 2132), at most one entry per
// code. It refuses to know which options a message needs or what a client is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"

namespace bramble::dhcp {

// Option codes by the names of their RFCs.
enum class OptionCode : std::uint8_t {
    pad = 0,
    subnet_mask = 1,
    router = 3,
    domain_name_server = 6,
    host_name = 12,
    domain_name = 15,
    root_path = 17,
    broadcast_address = 28,
    vendor_specific = 43,
    requested_address = 50,
    lease_time = 51,
    overload = 52,
    message_type = 53,
    server_identifier = 54,
    parameter_request_list = 55,
    message = 56,
    maximum_message_size = 57,
    renewal_time = 58,
    rebinding_time = 59,
    vendor_class = 60,
    client_identifier = 61,
    tftp_server_name = 66,
    bootfile_name = 67,
    user_class = 77,           // RFC 3004
    relay_agent = 82,          // RFC 3046
    client_architecture = 93,  // RFC 4578; every Raspberry Pi says 0 here (fact sheet 1.1)
    network_interface = 94,    // RFC 4578
    machine_identifier = 97,   // RFC 4578
    etherboot = 175,           // iPXE's own
    end = 255,
};

struct Option {
    OptionCode code{};
    std::vector<std::byte> value;

    friend bool operator==(const Option&, const Option&) = default;
};

class Options {
public:
    // The value of `code`; nothing when the message has no such option (an empty value is a value).
    std::optional<std::span<const std::byte>> find(OptionCode code) const;

    bool has(OptionCode code) const { return find(code).has_value(); }

    // The value read as one number or address; nothing also when its length is not exactly that.
    std::optional<std::uint8_t> u8(OptionCode code) const;
    std::optional<std::uint16_t> u16(OptionCode code) const;
    std::optional<std::uint32_t> u32(OptionCode code) const;
    std::optional<Ipv4Address> address(OptionCode code) const;

    // The value as text without trailing NULs (some firmware counts one); empty when absent. It may
    // hold any bytes.
    std::string_view text(OptionCode code) const;

    // Appends the option, or replaces its value where it stands.
    void set(OptionCode code, std::span<const std::byte> value);
    void set_u8(OptionCode code, std::uint8_t value);
    void set_u16(OptionCode code, std::uint16_t value);
    void set_u32(OptionCode code, std::uint32_t value);
    void set_address(OptionCode code, Ipv4Address value);
    void set_addresses(OptionCode code, std::span<const Ipv4Address> values);
    void set_text(OptionCode code, std::string_view value);

    // Adds to the value where the option stands, or appends it: the parts of a long option
    // (RFC 3396 §5).
    void append(OptionCode code, std::span<const std::byte> part);

    void remove(OptionCode code);

    const std::vector<Option>& items() const { return items_; }

    // Octets that the options take on the wire, split by RFC 3396 where longer than 255, without
    // the end option.
    std::size_t wire_size() const;

    friend bool operator==(const Options&, const Options&) = default;

private:
    std::vector<Option> items_;
};

// Octets on the wire of one option with a value of that length.
constexpr std::size_t option_wire_size(std::size_t value_bytes) {
    const std::size_t parts = value_bytes == 0 ? 1 : (value_bytes + 254) / 255;
    return value_bytes + 2 * parts;
}

}  // namespace bramble::dhcp
