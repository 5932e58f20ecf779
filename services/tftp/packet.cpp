#include "services/tftp/packet.hpp"

#include <fmt/format.h>

#include "config/types/text.hpp"
#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::tftp {
namespace {

tl::unexpected<ParseError> malformed(Malformation what, std::size_t offset) {
    return tl::unexpected<ParseError>(ParseError{what, offset});
}

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

Mode parse_mode(std::string_view text) {  // RFC 1350 §5: any combination of cases
    if (equal_ignoring_case(text, "octet")) return Mode::octet;
    if (equal_ignoring_case(text, "netascii")) return Mode::netascii;
    if (equal_ignoring_case(text, "mail")) return Mode::mail;
    return Mode::unknown;
}

std::string_view to_text(Mode mode) {
    switch (mode) {
        case Mode::netascii:
            return "netascii";
        case Mode::mail:
            return "mail";
        default:
            return "octet";
    }
}

// The pairs up to the end of the datagram. Beyond option_pairs_max they are read but not kept.
Result<OptionList, ParseError> parse_options(ByteReader& reader) {
    OptionList options;
    while (!reader.at_end()) {
        const std::size_t at = reader.offset();
        const auto name = reader.nul_terminated();
        if (!name) return malformed(Malformation::unterminated_text, at);
        if (name->empty()) return malformed(Malformation::empty_option_name, at);
        if (reader.at_end()) return malformed(Malformation::option_without_value, at);
        const auto value = reader.nul_terminated();
        if (!value) return malformed(Malformation::unterminated_text, at);
        options.add(*name, *value);
    }
    return options;
}

Result<Packet, ParseError> parse_request(
    ByteReader& reader, std::span<const std::byte> datagram, bool write
) {
    if (datagram.size() > request_bytes_max) {
        return malformed(Malformation::request_too_long, request_bytes_max);
    }
    Request request;
    request.write = write;
    const auto path = reader.nul_terminated();
    if (!path) return malformed(Malformation::unterminated_text, 2);
    if (path->empty()) return malformed(Malformation::empty_path, 2);
    const std::size_t at = reader.offset();
    const auto mode = reader.nul_terminated();
    if (!mode) return malformed(Malformation::unterminated_text, at);
    auto options = parse_options(reader);
    if (!options) return tl::unexpected<ParseError>(options.error());
    request.path = *path;
    request.mode = parse_mode(*mode);
    request.options = *options;
    return request;
}

std::span<const std::byte> finish(const ByteWriter& writer) {
    return writer.overflowed() ? std::span<const std::byte>{} : writer.written();
}

void write_options(ByteWriter& writer, const OptionList& options) {
    for (const OptionText& option : options.all()) {
        writer.text(option.name);
        writer.u8(0);
        writer.text(option.value);
        writer.u8(0);
    }
}

}  // namespace

std::string to_string(const Peer& peer) {
    return fmt::format("{}:{}", peer.address.to_string(), peer.port);
}

std::string_view to_string(Malformation malformation) {
    switch (malformation) {
        case Malformation::too_short:
            return "too short";
        case Malformation::unknown_opcode:
            return "unknown opcode";
        case Malformation::unterminated_text:
            return "text without its NUL";
        case Malformation::empty_path:
            return "empty file name";
        case Malformation::option_without_value:
            return "option without a value";
        case Malformation::empty_option_name:
            return "option without a name";
        case Malformation::request_too_long:
            return "request beyond 512 octets";
    }
    return "";
}

bool OptionList::add(std::string_view name, std::string_view value) {
    if (count == pairs.size()) return false;
    pairs[count++] = {name, value};
    return true;
}

Result<Packet, ParseError> parse(std::span<const std::byte> datagram) {
    ByteReader reader(datagram);
    const auto opcode = reader.u16();
    if (!opcode) return malformed(Malformation::too_short, 0);
    switch (static_cast<Opcode>(*opcode)) {
        case Opcode::rrq:
        case Opcode::wrq:
            return parse_request(reader, datagram, *opcode == 2);
        case Opcode::data:
        case Opcode::ack:
        case Opcode::error:
            break;
        case Opcode::oack: {
            auto options = parse_options(reader);
            if (!options) return tl::unexpected<ParseError>(options.error());
            return Oack{*options};
        }
        default:
            return malformed(Malformation::unknown_opcode, 0);
    }
    const auto number = reader.u16();
    if (!number) return malformed(Malformation::too_short, 2);  // CVE-2019-11365's shape
    const std::span<const std::byte> rest = datagram.subspan(reader.offset());
    if (*opcode == static_cast<std::uint16_t>(Opcode::data))
        return Data{BlockNumber(*number), rest};
    if (*opcode == static_cast<std::uint16_t>(Opcode::ack)) return Ack{BlockNumber(*number)};
    const auto text = reader.nul_terminated();
    return ErrorMessage{*number, text ? *text : reader.rest_as_text()};
}

std::span<const std::byte> emit_request(const Request& request, std::span<std::byte> buffer) {
    ByteWriter writer(buffer);
    writer.u16(static_cast<std::uint16_t>(request.write ? Opcode::wrq : Opcode::rrq));
    writer.text(request.path);
    writer.u8(0);
    writer.text(to_text(request.mode));
    writer.u8(0);
    write_options(writer, request.options);
    return finish(writer);
}

std::span<const std::byte> emit_data(
    BlockNumber block, std::span<const std::byte> payload, std::span<std::byte> buffer
) {
    ByteWriter writer(buffer);
    writer.u16(static_cast<std::uint16_t>(Opcode::data));
    writer.u16(block.value());
    writer.bytes(payload);
    return finish(writer);
}

std::span<const std::byte> emit_ack(BlockNumber block, std::span<std::byte> buffer) {
    ByteWriter writer(buffer);
    writer.u16(static_cast<std::uint16_t>(Opcode::ack));
    writer.u16(block.value());
    return finish(writer);
}

std::span<const std::byte> emit_error(
    ErrorCode code, std::string_view text, std::span<std::byte> buffer
) {
    ByteWriter writer(buffer);
    writer.u16(static_cast<std::uint16_t>(Opcode::error));
    writer.u16(static_cast<std::uint16_t>(code));
    writer.text(text);
    writer.u8(0);
    return finish(writer);
}

std::span<const std::byte> emit_oack(const OptionList& options, std::span<std::byte> buffer) {
    ByteWriter writer(buffer);
    writer.u16(static_cast<std::uint16_t>(Opcode::oack));
    write_options(writer, options);
    return finish(writer);
}

}  // namespace bramble::tftp
