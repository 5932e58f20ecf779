// UringBlaster answers ACKs with DATA through an io_uring: one multishot receive, a send for each
// DATA, one system call for a batch of both. It knows what Blaster knows and refuses windows.
#pragma once

#include <liburing.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace bramble::bench {

class UringBlaster {
public:
    /// `zerocopy`: the kernel takes the payload's pages (SENDMSG_ZC). Throws std::system_error when
    /// the kernel has no io_uring of this kind.
    UringBlaster(int control, int data, bool zerocopy);
    ~UringBlaster();
    UringBlaster(const UringBlaster&) = delete;
    UringBlaster& operator=(const UringBlaster&) = delete;

    /// Waits at most a second, then handles all that is complete; `requests` when the control
    /// socket has some.
    void step(const std::function<void()>& requests);

private:
    static constexpr unsigned sends_max = 4096;     // on their way at once
    static constexpr unsigned receives_max = 1024;  // buffers the kernel may fill, a power of two
    static constexpr std::size_t payload_bytes = 1468;
    static constexpr std::size_t receive_bytes = 640;  // its own header, an address, 516 octets

    struct Send {
        sockaddr_in peer{};
        std::array<std::byte, 4> header{};
        std::array<iovec, 2> slices{};
        msghdr message{};
    };

    io_uring_sqe& entry();
    void await_control();
    void await_data();
    void give_back(std::uint16_t buffer);
    void take(const io_uring_cqe& completion);
    void answer(std::span<std::byte> received);

    int control_;
    int data_;
    bool zerocopy_;
    io_uring ring_{};
    io_uring_buf_ring* buffers_ = nullptr;
    msghdr shape_{};
    std::vector<std::byte> received_;
    std::vector<std::byte> octets_;
    std::vector<Send> sends_;
    std::vector<std::uint32_t> free_;
};

}  // namespace bramble::bench
