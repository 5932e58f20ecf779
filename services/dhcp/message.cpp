#include "services/dhcp/message.hpp"

#include <algorithm>
#include <optional>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::dhcp {
namespace {

constexpr std::uint32_t magic_cookie = 0x63825363;  // RFC 2131 §3
constexpr std::uint8_t ethernet = 1;
constexpr std::uint16_t broadcast_flag = 0x8000;
constexpr std::size_t chaddr_field = 16;
constexpr std::size_t sname_field = 64;
constexpr std::size_t file_field = 128;
constexpr std::size_t sname_offset = 44;
constexpr std::size_t file_offset = 108;
constexpr std::size_t options_offset = 240;
constexpr std::uint8_t file_holds_options = 1;  // bits of option 52, RFC 2132 §9.3
constexpr std::uint8_t sname_holds_options = 2;
constexpr std::size_t option_part_max = 255;

tl::unexpected<ParseError> fault(ParseFault what, std::size_t offset) {
    return tl::unexpected(ParseError{what, offset});
}

struct FixedPart {
    Message message;
    std::span<const std::byte> sname;
    std::span<const std::byte> file;
};

// RFC 2131 figure 1. The caller has checked that 240 octets are there.
Result<FixedPart, ParseError> parse_fixed(ByteReader& reader) {
    FixedPart fixed;
    Message& message = fixed.message;
    const std::uint8_t op = *reader.u8();
    if (op != 1 && op != 2) return fault(ParseFault::bad_operation, 0);
    message.op = static_cast<Operation>(op);
    if (*reader.u8() != ethernet) return fault(ParseFault::unsupported_hardware, 1);
    if (*reader.u8() != MacAddress::size) return fault(ParseFault::unsupported_hardware, 2);
    message.hops = *reader.u8();
    message.xid = TransactionId(*reader.u32());
    message.secs = *reader.u16();
    // RFC 2131 §2: the other bits must be zero from clients, and are ignored by servers.
    message.broadcast = (*reader.u16() & broadcast_flag) != 0;
    message.ciaddr = Ipv4Address(*reader.u32());
    message.yiaddr = Ipv4Address(*reader.u32());
    message.siaddr = Ipv4Address(*reader.u32());
    message.giaddr = Ipv4Address(*reader.u32());
    message.chaddr = MacAddress(*reader.octets<MacAddress::size>());
    reader.take(chaddr_field - MacAddress::size);
    fixed.sname = *reader.take(sname_field);
    fixed.file = *reader.take(file_field);
    if (*reader.u32() != magic_cookie) return fault(ParseFault::not_dhcp, options_offset - 4);
    return fixed;
}

std::string field_text(std::span<const std::byte> field) {
    const std::string_view text(reinterpret_cast<const char*>(field.data()), field.size());
    // The last octet is the terminator's, whatever it holds.
    return std::string(text.substr(0, std::min(text.find('\0'), field.size() - 1)));
}

// Reads one option area up to its end option. `base` is its offset in the datagram.
std::optional<ParseError> parse_area(
    std::span<const std::byte> area, std::size_t base, Options& options
) {
    ByteReader reader(area);
    while (!reader.at_end()) {
        const std::size_t at = base + reader.offset();
        const auto code = static_cast<OptionCode>(*reader.u8());
        if (code == OptionCode::pad) continue;
        if (code == OptionCode::end) return std::nullopt;
        const auto length = reader.u8();
        const auto value = length ? reader.take(*length) : std::nullopt;
        if (!value) return ParseError{ParseFault::truncated, at};
        options.append(code, *value);
    }
    return ParseError{ParseFault::no_end, base + area.size()};
}

// Options whose length RFC 2132 fixes and that a server acts upon.
bool plausible(const Option& option) {
    switch (option.code) {
        case OptionCode::message_type:
        case OptionCode::overload:
            return option.value.size() == 1;
        case OptionCode::requested_address:
        case OptionCode::server_identifier:
        case OptionCode::lease_time:
            return option.value.size() == 4;
        case OptionCode::maximum_message_size:
            return option.value.size() == 2;
        default:
            return true;
    }
}

std::optional<ParseError> parse_overloaded(FixedPart& fixed, std::uint8_t overload) {
    Options& options = fixed.message.options;
    if ((overload & file_holds_options) != 0) {  // RFC 2131 §4.1: `file` before `sname`
        if (auto error = parse_area(fixed.file, file_offset, options)) return error;
    }
    if ((overload & sname_holds_options) != 0) {
        if (auto error = parse_area(fixed.sname, sname_offset, options)) return error;
    }
    return std::nullopt;
}

void emit_option(ByteWriter& writer, OptionCode code, std::span<const std::byte> value) {
    do {  // an empty value is one part
        const auto part = value.first(std::min(value.size(), option_part_max));
        writer.u8(static_cast<std::uint8_t>(code));
        writer.u8(static_cast<std::uint8_t>(part.size()));
        writer.bytes(part);
        value = value.subspan(part.size());
    } while (!value.empty());
}

void emit_field(ByteWriter& writer, std::string_view text, std::size_t field) {
    const std::string_view fitting = text.substr(0, field - 1);
    writer.text(fitting);
    writer.zeros(field - fitting.size());
}

}  // namespace

std::string_view to_string(MessageType type) {
    static constexpr std::array<std::string_view, 9> names = {
        "",
        "DHCPDISCOVER",
        "DHCPOFFER",
        "DHCPREQUEST",
        "DHCPDECLINE",
        "DHCPACK",
        "DHCPNAK",
        "DHCPRELEASE",
        "DHCPINFORM"};
    return names[static_cast<std::size_t>(type)];
}

std::string_view to_string(ParseFault fault) {
    switch (fault) {
        case ParseFault::too_long:
            return "longer than a frame";
        case ParseFault::truncated:
            return "truncated";
        case ParseFault::not_dhcp:
            return "no DHCP magic cookie";
        case ParseFault::bad_operation:
            return "neither a request nor a reply";
        case ParseFault::unsupported_hardware:
            return "not Ethernet";
        case ParseFault::no_end:
            return "no end option";
        case ParseFault::bad_message_type:
            return "no known message type";
        case ParseFault::bad_option:
            return "an option of impossible length";
    }
    return "";
}

Result<Message, ParseError> parse(std::span<const std::byte> datagram) {
    if (datagram.size() > message_bytes_max) {
        return fault(ParseFault::too_long, message_bytes_max);
    }
    if (datagram.size() < options_offset) return fault(ParseFault::truncated, datagram.size());
    ByteReader reader(datagram);
    auto fixed = parse_fixed(reader);
    if (!fixed) return tl::unexpected(fixed.error());

    Message& message = fixed->message;
    Options& options = message.options;
    if (const auto error = parse_area(datagram.subspan(options_offset), options_offset, options)) {
        return tl::unexpected(*error);
    }
    std::uint8_t overload = 0;
    if (options.has(OptionCode::overload)) {
        const auto value = options.u8(OptionCode::overload);
        if (!value || *value < 1 || *value > 3) {
            return fault(ParseFault::bad_option, options_offset);
        }
        overload = *value;
        options.remove(OptionCode::overload);
        if (const auto error = parse_overloaded(*fixed, overload)) return tl::unexpected(*error);
        options.remove(OptionCode::overload);  // said again inside a field: it means nothing there
    }
    for (const Option& option : options.items()) {
        if (!plausible(option)) return fault(ParseFault::bad_option, options_offset);
    }
    const auto type = options.u8(OptionCode::message_type);
    if (!type || *type < 1 || *type > 8) return fault(ParseFault::bad_message_type, options_offset);
    message.type = static_cast<MessageType>(*type);
    options.remove(OptionCode::message_type);
    if ((overload & sname_holds_options) == 0) message.sname = field_text(fixed->sname);
    if ((overload & file_holds_options) == 0) message.file = field_text(fixed->file);
    return std::move(message);
}

std::vector<std::byte> emit(const Message& message, std::size_t pad_to) {
    std::vector<std::byte> buffer(std::max(wire_size(message), pad_to));  // zeros: nothing leaks
    ByteWriter writer(buffer);
    writer.u8(static_cast<std::uint8_t>(message.op));
    writer.u8(ethernet);
    writer.u8(MacAddress::size);
    writer.u8(message.hops);
    writer.u32(message.xid.value());
    writer.u16(message.secs);
    writer.u16(message.broadcast ? broadcast_flag : 0);
    writer.u32(message.ciaddr.value());
    writer.u32(message.yiaddr.value());
    writer.u32(message.siaddr.value());
    writer.u32(message.giaddr.value());
    writer.octets(message.chaddr.octets());
    writer.zeros(chaddr_field - MacAddress::size);
    emit_field(writer, message.sname, sname_field);
    emit_field(writer, message.file, file_field);
    writer.u32(magic_cookie);
    const std::byte type{static_cast<std::uint8_t>(message.type)};
    emit_option(writer, OptionCode::message_type, {&type, 1});
    for (const Option& option : message.options.items()) {
        emit_option(writer, option.code, option.value);
    }
    writer.u8(static_cast<std::uint8_t>(OptionCode::end));
    return buffer;
}

std::size_t wire_size(const Message& message) {
    return options_offset + option_wire_size(1) + message.options.wire_size() + 1;
}

}  // namespace bramble::dhcp
