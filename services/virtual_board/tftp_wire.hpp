// The TFTP packets of a board, byte by byte, and the strict reading of a server's. It shares no
// code with the server and refuses to know transfers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::virtual_board {

inline constexpr std::uint16_t tftp_port = 69;
inline constexpr unsigned default_block_bytes = 512;  // RFC 1350, when blksize was not agreed

// Fact sheet 2.1: "octet" in lower case, tsize before blksize, no other option.
struct RrqOptions {
    bool tsize = true;
    unsigned blksize = 0;  // 0: not asked for
};

std::vector<std::byte> make_rrq(std::string_view path, const RrqOptions& options);
std::vector<std::byte> make_ack(std::uint16_t block);
std::vector<std::byte> make_error(std::uint16_t code, std::string_view text);

inline constexpr std::string_view early_terminate = "Early terminate";  // fact sheet 2.2

struct DataPacket {
    std::uint16_t block = 0;
    std::span<const std::byte> payload;
};

struct OackPacket {
    std::optional<std::uint64_t> tsize;
    std::optional<std::uint64_t> blksize;
};

struct BadOack {};  // names or values that are none, or that were not asked for

struct ErrorPacket {
    std::uint16_t code = 0;
    std::string_view text;
};

struct NoPacket {};  // an opcode that no server sends, or too short for its own

using ServerPacket = std::variant<DataPacket, OackPacket, BadOack, ErrorPacket, NoPacket>;

// The views borrow from `bytes`. `asked` decides what an OACK may hold: a name or value beyond it,
// or one name twice, is a BAD OACK (fact sheet 2.2); so is a tsize that was asked for and left out.
ServerPacket parse_server_packet(std::span<const std::byte> bytes, const RrqOptions& asked);

}  // namespace bramble::virtual_board
