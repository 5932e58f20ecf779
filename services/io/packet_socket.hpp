// An AF_PACKET socket on one interface: whole frames out, ARP frames in. It refuses to know what
// the frames carry.
#pragma once

#include <cstddef>
#include <span>

#include "config/types/result.hpp"
#include "services/io/file_descriptor.hpp"
#include "services/io/network_interface.hpp"

namespace bramble::io {

class PacketSocket {
public:
    // Receives ARP only, so that the kernel copies nothing else. Errors: needs CAP_NET_RAW.
    [[nodiscard]] static Result<PacketSocket> open(const NetworkInterface& interface);

    int fd() const { return fd_.get(); }

    // False: the frame did not leave (buffers full, link down). The client asks again; a frame that
    // is late by then is worth less than one that is lost.
    bool send(std::span<const std::byte> frame);

    // The next waiting frame, into `buffer`; empty when there is none.
    std::span<const std::byte> receive(std::span<std::byte> buffer);

private:
    explicit PacketSocket(FileDescriptor fd) : fd_(std::move(fd)) {}

    FileDescriptor fd_;
};

}  // namespace bramble::io
