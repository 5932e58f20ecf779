// TFTP's datagrams as values: RFC 1350 §5 with the OACK of RFC 2347, parsed without allocation and
// emitted into the caller's buffer. It refuses to know which datagram is right in which state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "config/types/ipv4.hpp"
#include "config/types/result.hpp"

namespace bramble::tftp {

inline constexpr std::uint16_t server_port = 69;

// RFC 2347: "The maximum size of a request packet is 512 octets."
inline constexpr std::size_t request_bytes_max = 512;

// Pairs beyond these are not looked at: no client asks for more than six.
inline constexpr std::size_t option_pairs_max = 16;

// A client's end of a transfer. Its port is its transfer identifier (RFC 1350 §4).
struct Peer {
    Ipv4Address address;
    std::uint16_t port = 0;

    friend constexpr auto operator<=>(const Peer&, const Peer&) = default;
};

std::string to_string(const Peer& peer);  // "172.16.1.3:40084"

enum class Opcode : std::uint16_t { rrq = 1, wrq = 2, data = 3, ack = 4, error = 5, oack = 6 };

enum class ErrorCode : std::uint16_t {
    not_defined = 0,
    file_not_found = 1,
    access_violation = 2,
    disk_full = 3,
    illegal_operation = 4,
    unknown_transfer_id = 5,
    file_already_exists = 6,
    no_such_user = 7,
    option_refused = 8,  // RFC 2347
};

// RFC 1350 §5: two bytes on the wire. It is silent on 65535 + 1; clients that can expect 0. A ring
// has no order, hence no <.
class BlockNumber {
public:
    constexpr BlockNumber() = default;

    explicit constexpr BlockNumber(std::uint16_t value) : value_(value) {}

    // The wire's number of the `count`-th block of a file, counted from 1 without end.
    static constexpr BlockNumber of_count(std::uint64_t count) {
        return BlockNumber(static_cast<std::uint16_t>(count));
    }

    constexpr std::uint16_t value() const { return value_; }

    constexpr BlockNumber next() const {
        return BlockNumber(static_cast<std::uint16_t>(value_ + 1));
    }

    constexpr std::uint16_t steps_to(BlockNumber other) const {
        return static_cast<std::uint16_t>(other.value_ - value_);
    }

    friend constexpr bool operator==(BlockNumber, BlockNumber) = default;

private:
    std::uint16_t value_ = 0;
};

static_assert(BlockNumber(65535).next() == BlockNumber(0));

// octet is the only mode that is served; netascii would have to change the bytes of a kernel.
enum class Mode { octet, netascii, mail, unknown };

// One option as written in the datagram; the views borrow from it.
struct OptionText {
    std::string_view name;
    std::string_view value;

    friend bool operator==(const OptionText&, const OptionText&) = default;
};

struct OptionList {
    std::array<OptionText, option_pairs_max> pairs;
    std::size_t count = 0;

    std::span<const OptionText> all() const { return {pairs.data(), count}; }

    bool add(std::string_view name, std::string_view value);  // false: full
};

struct Request {
    bool write = false;  // WRQ
    std::string_view path;
    Mode mode = Mode::octet;
    OptionList options;
};

struct Data {
    BlockNumber block;
    std::span<const std::byte> payload;
};

struct Ack {
    BlockNumber block;
};

// The code is kept as it came: clients send codes beyond RFC 1350's.
struct ErrorMessage {
    std::uint16_t code = 0;
    std::string_view text;
};

struct Oack {
    OptionList options;
};

using Packet = std::variant<Request, Data, Ack, ErrorMessage, Oack>;

enum class Malformation {
    too_short,          // no opcode, or no block number or error code behind it
    unknown_opcode,     // neither of 1 to 6
    unterminated_text,  // a file name, mode, option name or value without its NUL
    empty_path,
    option_without_value,
    empty_option_name,
    request_too_long,  // beyond RFC 2347's 512 octets
};

std::string_view to_string(Malformation malformation);

struct ParseError {
    Malformation what = Malformation::too_short;
    std::size_t offset = 0;  // octets from the start of the datagram

    friend bool operator==(const ParseError&, const ParseError&) = default;
};

// Reads any datagram, from either side. Views borrow from `datagram`. Never throws and never
// allocates, whatever the input.
// Forgiven: an ERROR whose text has no NUL (CVE-2008-2161's shape), of which the text is then what
// is there; octets behind an ACK's block number, which mean nothing.
[[nodiscard]] Result<Packet, ParseError> parse(std::span<const std::byte> datagram);

// Each emit gives the octets written, or an empty span when `buffer` is too small: never half a
// datagram.
std::span<const std::byte> emit_request(const Request& request, std::span<std::byte> buffer);
std::span<const std::byte> emit_data(
    BlockNumber block, std::span<const std::byte> payload, std::span<std::byte> buffer
);
std::span<const std::byte> emit_ack(BlockNumber block, std::span<std::byte> buffer);
std::span<const std::byte> emit_error(
    ErrorCode code, std::string_view text, std::span<std::byte> buffer
);
std::span<const std::byte> emit_oack(const OptionList& options, std::span<std::byte> buffer);

}  // namespace bramble::tftp

template <>
struct std::hash<bramble::tftp::Peer> {
    std::size_t operator()(const bramble::tftp::Peer& peer) const noexcept {
        const std::uint64_t key = std::uint64_t{peer.address.value()} << 16U | peer.port;
        return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ULL) >> 16U);
    }
};
