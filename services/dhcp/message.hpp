// One DHCP message (RFC 2131 §2) as a value, read from and written to bytes. It refuses to know who
// sent it, whether it makes sense in its state, and what to answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"
#include "services/dhcp/options.hpp"

namespace bramble::dhcp {

inline constexpr std::uint16_t server_port = 67;
inline constexpr std::uint16_t client_port = 68;
inline constexpr std::uint16_t proxy_port = 4011;  // PXE boot servers

// Datagrams above this are refused unread: no client can send one that fits a frame.
inline constexpr std::size_t message_bytes_max = 1500;
// What a client must be ready to receive: 576 octets of IP datagram (RFC 2131 §2). A Pi says
// nothing of more (fact sheet 1.1).
inline constexpr std::size_t reply_bytes_max = 548;
// RFC 951 §3: BOOTP relays and some clients drop anything shorter.
inline constexpr std::size_t bootp_bytes_min = 300;

enum class Operation : std::uint8_t { request = 1, reply = 2 };

enum class MessageType : std::uint8_t {
    discover = 1,
    offer = 2,
    request = 3,
    decline = 4,
    ack = 5,
    nak = 6,
    release = 7,
    inform = 8,
};

std::string_view to_string(MessageType type);  // "DHCPDISCOVER"

// What pairs a reply with its request: compared, copied, nothing else.
class TransactionId {
public:
    constexpr TransactionId() = default;

    explicit constexpr TransactionId(std::uint32_t value) : value_(value) {}

    constexpr std::uint32_t value() const { return value_; }

    friend constexpr bool operator==(TransactionId, TransactionId) = default;

private:
    std::uint32_t value_ = 0;
};

// RFC 2131 figure 1. Hardware is Ethernet (htype 1, hlen 6); anything else does not parse. `type`
// is option 53, and `options` holds all others.
struct Message {
    Operation op = Operation::request;
    std::uint8_t hops = 0;
    TransactionId xid;
    std::uint16_t secs = 0;
    bool broadcast = false;  // the only bit of `flags` that has a meaning
    Ipv4Address ciaddr;
    Ipv4Address yiaddr;
    Ipv4Address siaddr;
    Ipv4Address giaddr;
    MacAddress chaddr;
    std::string sname;  // at most 63 octets; empty where option 52 gave the field to options
    std::string file;   // at most 127 octets; likewise
    MessageType type = MessageType::discover;
    Options options;

    friend bool operator==(const Message&, const Message&) = default;
};

enum class ParseFault : std::uint8_t {
    too_long,              // above message_bytes_max
    truncated,             // the fixed part or an option ends after the datagram
    not_dhcp,              // no magic cookie: BOOTP, or something else
    bad_operation,         // neither request nor reply
    unsupported_hardware,  // not Ethernet
    no_end,                // options without option 255
    bad_message_type,      // option 53 missing, not one octet, or a type unknown to RFC 2131
    bad_option,            // a known option whose length cannot be right
};

std::string_view to_string(ParseFault fault);

struct ParseError {
    ParseFault fault{};
    std::size_t offset = 0;  // of the octet that could not be read, in the datagram

    friend bool operator==(const ParseError&, const ParseError&) = default;
};

// Any input, never throws. Understands option overload (52) and joins options that come in parts
// (RFC 3396); option 52 itself does not appear in the result, nor does 53.
[[nodiscard]] Result<Message, ParseError> parse(std::span<const std::byte> datagram);

// The message on the wire: option 53 first, then the options in their order, end, zeros up to
// `pad_to` octets. Never uses overload. sname and file are cut to their fields.
std::vector<std::byte> emit(const Message& message, std::size_t pad_to = 0);

// Octets that emit() would write without padding.
std::size_t wire_size(const Message& message);

}  // namespace bramble::dhcp
