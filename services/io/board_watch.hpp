// Listens to what boards send beside DHCP and TFTP, and to other DHCP servers. The kernel filters,
// so that only a handful of packets of each boot come here; it refuses to answer anybody.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/types/result.hpp"
#include "services/io/file_descriptor.hpp"
#include "services/io/loop.hpp"
#include "services/io/network_interface.hpp"
#include "services/io/overheard.hpp"

namespace bramble::io {

class BoardWatch {
public:
    static constexpr std::size_t frames_per_turn = 64;  // then others have their turn
    static constexpr std::size_t frame_bytes_max = 2048;

    struct Options {
        NetworkInterface interface;
        Ipv4Address address;  // ours: where connections of boards go
        std::uint16_t nfs_port = 2049;
        std::uint16_t mount_port = 20048;
    };

    using OnOverheard = std::function<void(const Overheard& heard)>;

    // A packet socket hears a board before a firewall does, and one that has no address of ours
    // yet. Port 6666 is taken as well, so that no board is told that nobody is there. Errors: needs
    // CAP_NET_RAW; the port is taken.
    [[nodiscard]] static Result<std::unique_ptr<BoardWatch>> open(const Options& options);

    // From now on; what came before is gone.
    void start(Loop& loop, OnOverheard on_overheard);

private:
    BoardWatch(Options options, FileDescriptor packets, FileDescriptor port);

    void on_readable();
    bool is_wanted(const Overheard& heard) const;

    Options options_;
    FileDescriptor packets_;
    FileDescriptor port_;  // nothing is ever read from it
    std::vector<std::byte> buffer_;
    OnOverheard on_overheard_;
    Watch watch_;
};

}  // namespace bramble::io
