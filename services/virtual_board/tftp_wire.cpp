#include "services/virtual_board/tftp_wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::virtual_board {

namespace {

constexpr std::uint16_t opcode_rrq = 1;
constexpr std::uint16_t opcode_data = 3;
constexpr std::uint16_t opcode_ack = 4;
constexpr std::uint16_t opcode_error = 5;
constexpr std::uint16_t opcode_oack = 6;
constexpr std::size_t packet_bytes_max = 600;

void put_string(ByteWriter& out, std::string_view text) {
    out.text(text);
    out.u8(0);
}

std::vector<std::byte> copied(const ByteWriter& out) {
    const auto written = out.written();
    return {written.begin(), written.end()};
}

std::optional<std::uint64_t> decimal(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

ServerPacket parse_oack(ByteReader& reader, const RrqOptions& asked) {
    OackPacket oack;
    while (!reader.at_end()) {
        const auto name = reader.nul_terminated();
        const auto text = name ? reader.nul_terminated() : std::nullopt;
        const auto value = text ? decimal(*text) : std::nullopt;
        if (!value) return BadOack{};
        if (*name == "tsize" && asked.tsize && !oack.tsize) {
            oack.tsize = *value;
        } else if (*name == "blksize" && asked.blksize != 0 && !oack.blksize) {
            if (*value < 8 || *value > asked.blksize) return BadOack{};
            oack.blksize = *value;
        } else {
            return BadOack{};
        }
    }
    if (asked.tsize && !oack.tsize) return BadOack{};
    return oack;
}

}  // namespace

std::vector<std::byte> make_rrq(std::string_view path, const RrqOptions& options) {
    std::array<std::byte, packet_bytes_max> buffer{};
    ByteWriter out(buffer);
    out.u16(opcode_rrq);
    put_string(out, path);
    put_string(out, "octet");
    if (options.tsize) {
        put_string(out, "tsize");
        put_string(out, "0");
    }
    if (options.blksize != 0) {
        put_string(out, "blksize");
        put_string(out, std::to_string(options.blksize));
    }
    return copied(out);
}

std::vector<std::byte> make_ack(std::uint16_t block) {
    std::array<std::byte, 4> buffer{};
    ByteWriter out(buffer);
    out.u16(opcode_ack);
    out.u16(block);
    return copied(out);
}

std::vector<std::byte> make_error(std::uint16_t code, std::string_view text) {
    std::array<std::byte, packet_bytes_max> buffer{};
    ByteWriter out(buffer);
    out.u16(opcode_error);
    out.u16(code);
    put_string(out, text);
    return copied(out);
}

ServerPacket parse_server_packet(std::span<const std::byte> bytes, const RrqOptions& asked) {
    ByteReader reader(bytes);
    const auto opcode = reader.u16();
    if (opcode == opcode_oack) return parse_oack(reader, asked);
    const auto word = opcode ? reader.u16() : std::nullopt;
    if (!word) return NoPacket{};
    if (opcode == opcode_data) return DataPacket{*word, *reader.take(reader.remaining())};
    if (opcode == opcode_error) {
        return ErrorPacket{*word, reader.nul_terminated().value_or("")};
    }
    return NoPacket{};
}

}  // namespace bramble::virtual_board
