// TFTP's outgoing datagrams in as few system calls as they allow: one sendmmsg for many, one GSO
// send for a window. It refuses to know what is in them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "services/tftp/engine.hpp"

namespace bramble::io {

class DatagramSender {
public:
    static constexpr std::size_t batch_max = 128;  // datagrams for one call of send()

    enum class State {
        done,       // everything given was dealt with
        blocked,    // the socket's buffer is full: go on when it is writable
        congested,  // the device's queue is full: go on in a millisecond
    };

    struct Progress {
        std::size_t consumed = 0;  // from the front: sent, or refused by the machine for good
        State state = State::done;
        // The last of the consumed could not be read: its file was cut short under the mapping.
        bool damaged = false;
    };

    struct Counters {
        std::uint64_t system_calls = 0;
        std::uint64_t segmented = 0;  // datagrams that left in a GSO send
        std::uint64_t refused = 0;    // no route, firewall: the transfer's timer deals with it
        std::uint64_t blocked = 0;
        std::uint64_t congested = 0;
    };

    // At most batch_max at a time; the spans inside must stay valid during the call only.
    Progress send(int fd, std::span<const tftp::Outgoing> pending);

    const Counters& counters() const { return counters_; }

    // For tests, and for devices known to do it badly.
    void disable_segmentation() { segmentation_ = false; }

private:
    static constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(std::uint16_t));
    static constexpr std::size_t segments_max = 64;  // UDP_MAX_SEGMENTS of older kernels
    static constexpr std::size_t segmented_bytes_max = 65'000;

    std::size_t group_size(std::span<const tftp::Outgoing> pending) const;
    std::size_t build(std::span<const tftp::Outgoing> pending);
    std::size_t run_length(std::size_t first, std::size_t messages) const;
    void add_message(std::size_t index, std::span<const tftp::Outgoing> group, std::size_t first);

    bool segmentation_ = true;
    std::array<mmsghdr, batch_max> messages_{};
    std::array<std::uint16_t, batch_max> datagrams_of_{};  // in each message
    std::array<bool, batch_max> confirms_{};  // each message, its peer's neighbour entry
    std::array<sockaddr_in, batch_max> addresses_{};
    std::array<iovec, 2 * batch_max> iovecs_{};
    alignas(cmsghdr) std::array<std::byte, batch_max * control_bytes> control_{};
    Counters counters_;
};

}  // namespace bramble::io
