// A board's network port: a namespace of its own with an interface that has the board's MAC, raw
// frames for DHCP, kernel sockets for TFTP. It refuses to know what the datagrams mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "config/types/result.hpp"
#include "config/types/time_point.hpp"
#include "services/virtual_board/board.hpp"

namespace bramble::wire_board {

// Runs a program of the machine to its end, in the calling thread's network namespace. Errors: it
// is not there, or it fails; the message names it.
[[nodiscard]] Result<void> run_program(const std::vector<std::string>& command);

class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}

    ~Descriptor();

    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    int get() const { return fd_; }

private:
    int fd_;
};

// Belongs to the thread that made it: the namespace ends with that thread, and the veth with it,
// whatever becomes of the program.
class Wire {
public:
    static constexpr std::size_t sockets_max =
        4;  // the last transfers': late packets find a socket

    // Leaves the calling thread in a new namespace with `eth0`, on the wire of the interface `on`
    // of the namespace that the program was started in: of a bridge it is a new `port`, of any
    // other interface a macvlan, which the machine itself does not hear.
    [[nodiscard]] static Result<Wire> plug(
        const std::string& on, const std::string& port, MacAddress mac
    );

    [[nodiscard]] Result<void> use_address(
        const Ipv4Network& network, std::optional<Ipv4Address> gateway
    );
    void drop_address();

    // Errors of sending are as good as loss: the board asks again.
    void send(const virtual_board::UdpOut& out);

    // Waits until `deadline` at the latest and hands every datagram that came to `take`.
    using Take = std::function<void(const virtual_board::UdpIn&)>;
    void receive(Duration wait, const Take& take);

private:
    Wire() = default;

    void send_broadcast(const virtual_board::UdpOut& out);
    void send_from_socket(const virtual_board::UdpOut& out);
    void take_frames(const Take& take);
    void take_datagrams(std::uint16_t port, int fd, const Take& take);

    Descriptor packet_;
    unsigned interface_ = 0;
    std::optional<Ipv4Address> address_;
    std::map<std::uint16_t, Descriptor> sockets_;  // by local port, which counts up
    std::vector<std::uint16_t> order_;
};

}  // namespace bramble::wire_board
