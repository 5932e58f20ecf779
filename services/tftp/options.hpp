// What a request asks for and what it is granted: RFC 2347's negotiation over blksize (2348), tsize
// and timeout (2349) and windowsize (7440). It refuses to know files and timers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "config/types/time_point.hpp"
#include "services/tftp/packet.hpp"

namespace bramble::tftp {

inline constexpr std::uint16_t blksize_default = 512;    // RFC 1350 §2
inline constexpr std::uint16_t blksize_min = 8;          // RFC 2348
inline constexpr std::uint16_t blksize_limit = 65464;    // RFC 2348
inline constexpr std::uint16_t blksize_ethernet = 1468;  // 1500 - IP 20 - UDP 8 - TFTP 4

// What the server is willing to grant. A board does not put IP fragments together again, so the
// block size stays below the path's MTU whatever is asked for.
struct OptionLimits {
    std::uint16_t blksize_max = blksize_ethernet;
    std::uint16_t windowsize_max = 64;  // blocks: how far ahead of its ACKs one client is sent to
    std::uint16_t timeout_max_s = 30;   // longer wishes for `timeout` are not granted

    friend bool operator==(const OptionLimits&, const OptionLimits&) = default;
};

// The terms of one transfer. `oack_*` says which options stand in the OACK; a timeout stands there
// when it is set.
struct Terms {
    std::uint16_t blksize = blksize_default;
    std::uint16_t windowsize = 1;
    std::optional<Duration> timeout;  // 1 to 255 s, the client's own wish
    bool oack_blksize = false;
    bool oack_windowsize = false;
    bool oack_tsize = false;

    bool has_oack() const {
        return oack_blksize || oack_windowsize || oack_tsize || timeout.has_value();
    }

    friend bool operator==(const Terms&, const Terms&) = default;
};

// Option names in any case (RFC 2347). A value that is no plain decimal number in its range, an
// option given twice and an unknown option are left out, as if they had not been asked for.
Terms negotiate(std::span<const OptionText> options, const OptionLimits& limits);

// blksize, tsize, timeout, windowsize, each with its longest value, and the opcode.
inline constexpr std::size_t oack_bytes_max = 2 + (8 + 6) + (6 + 21) + (8 + 4) + (11 + 6);

// The OACK for `terms`, with the file's true size where tsize was asked for. `buffer` holds at
// least oack_bytes_max octets.
std::span<const std::byte> emit_oack(
    const Terms& terms, std::uint64_t file_bytes, std::span<std::byte> buffer
);

}  // namespace bramble::tftp
