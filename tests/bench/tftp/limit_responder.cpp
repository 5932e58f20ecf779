// tftp_limit: what the machine's UDP path allows, with no files and no state. It answers any RRQ
// for ".../SIZE" with an OACK of that size, and any ACK n with a whole DATA n + 1 (a window of them
// when asked to): recvmmsg, sendmmsg, nothing else.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"
#include "tests/bench/tftp/uring_blaster.hpp"

namespace {

constexpr std::size_t batch_max = 256;
constexpr std::size_t payload_max = 1468;
constexpr unsigned window_max = 40;  // 40 × 1472 stays below the 64 KiB of one GSO send
volatile std::sig_atomic_t stopping = 0;

// Where a DATA's octets come from: what each way costs beside the others is in README.md.
enum class Path {
    slices,    // a header and one payload that is always in the cache: the limit
    mapped,    // a header and a slice of a large block of memory, as of a mapped file
    copy,      // both copied into one frame first
    frames,    // frames prepared for every block number, shared by all clients
    zerocopy,  // as mapped, but the kernel takes the pages instead of the octets (MSG_ZEROCOPY)
    single,    // as mapped, but a system call for each datagram in and each one out
    uring,     // as mapped, through an io_uring
    uring_zc,  // the same with SENDMSG_ZC
};

constexpr std::size_t blocks_max = 65'536;

int open_socket(const std::string& host, std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int bytes = 64 << 20;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return -1;
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

// The last part of the path is the size; the options are answered as they were asked.
std::size_t make_oack(std::span<const std::byte> request, std::span<std::byte> out) {
    bramble::ByteReader reader(request.subspan(2));
    const std::string path(reader.nul_terminated().value_or(""));
    static_cast<void>(reader.nul_terminated());
    bramble::ByteWriter writer(out);
    writer.u16(6);
    for (auto name = reader.nul_terminated(); name; name = reader.nul_terminated()) {
        const auto value = reader.nul_terminated().value_or("");
        writer.text(*name);
        writer.u8(0);
        writer.text(*name == "tsize" ? std::string_view(path).substr(path.rfind('/') + 1) : value);
        writer.u8(0);
    }
    return writer.size();
}

void serve_requests(int control, int data) {
    std::array<std::byte, 600> request{};
    std::array<std::byte, 600> reply{};
    for (std::size_t i = 0; i < batch_max; ++i) {
        sockaddr_in peer{};
        socklen_t length = sizeof peer;
        const ssize_t got = ::recvfrom(
            control,
            request.data(),
            request.size(),
            MSG_DONTWAIT,
            reinterpret_cast<sockaddr*>(&peer),
            &length
        );
        if (got < 4) return;
        const std::size_t bytes =
            make_oack(std::span(request).first(static_cast<std::size_t>(got)), reply);
        ::sendto(data, reply.data(), bytes, 0, reinterpret_cast<const sockaddr*>(&peer), length);
    }
}

// Answers one batch of ACKs; `window` DATA each, as one GSO send when that is more than one.
class Blaster {
public:
    Blaster(int data, unsigned window, Path path)
        : data_(data),
          window_(window),
          path_(path),
          headers_(batch_max * window),
          acks_(batch_max),
          octets_(octets_needed(path, window), std::byte{1}) {
        const int yes = 1;
        if (path == Path::zerocopy) ::setsockopt(data, SOL_SOCKET, SO_ZEROCOPY, &yes, sizeof yes);
        for (std::size_t i = 0; path == Path::frames && i < blocks_max; ++i) {
            write_header(&octets_[i * frame_bytes], static_cast<std::uint16_t>(i));
        }
    }

    void step() {
        std::array<mmsghdr, batch_max> in{};
        std::array<iovec, batch_max> in_slices{};
        std::array<sockaddr_in, batch_max> peers{};
        for (std::size_t i = 0; i < batch_max; ++i) {
            in_slices[i] = {acks_[i].data(), acks_[i].size()};
            in[i].msg_hdr.msg_name = &peers[i];
            in[i].msg_hdr.msg_namelen = sizeof peers[i];
            in[i].msg_hdr.msg_iov = &in_slices[i];
            in[i].msg_hdr.msg_iovlen = 1;
        }
        const int count = ::recvmmsg(
            data_, in.data(), path_ == Path::single ? 1 : batch_max, MSG_DONTWAIT, nullptr
        );
        if (count <= 0) return;
        std::vector<iovec> slices(static_cast<std::size_t>(count) * window_ * 2);
        std::array<mmsghdr, batch_max> out{};
        std::array<std::array<char, CMSG_SPACE(sizeof(std::uint16_t))>, batch_max> control{};
        unsigned queued = 0;
        for (int i = 0; i < count; ++i) {
            bramble::ByteReader reader(std::span(acks_[i]).first(4));
            if (in[i].msg_len != 4 || reader.u16() != 4) continue;
            const std::uint16_t acknowledged = *reader.u16();
            const std::size_t first = queued * window_;
            for (unsigned w = 0; w < window_; ++w) {
                const auto block = static_cast<std::uint16_t>(acknowledged + 1 + w);
                slice(first + w, block, std::span(slices).subspan((first + w) * slices_each()));
            }
            msghdr& message = out[queued].msg_hdr;
            message.msg_name = &peers[i];
            message.msg_namelen = sizeof peers[i];
            message.msg_iov = &slices[first * slices_each()];
            message.msg_iovlen = window_ * slices_each();
            if (window_ > 1) {
                message.msg_control = control[queued].data();
                message.msg_controllen = control[queued].size();
                cmsghdr* segment = CMSG_FIRSTHDR(&message);
                segment->cmsg_level = SOL_UDP;
                segment->cmsg_type = UDP_SEGMENT;
                segment->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
                const std::uint16_t size = payload_max + 4;
                std::memcpy(CMSG_DATA(segment), &size, sizeof size);
            }
            ++queued;
        }
        for (unsigned sent = 0, attempt = 0; sent < queued && attempt < 1000; ++attempt) {
            const int flags = path_ == Path::zerocopy ? MSG_ZEROCOPY : 0;
            const int done = ::sendmmsg(data_, &out[sent], queued - sent, flags);
            if (done > 0) sent += static_cast<unsigned>(done);
        }
        if (path_ == Path::zerocopy) take_completions();
    }

private:
    static constexpr std::size_t frame_bytes = payload_max + 4;

    static std::size_t octets_needed(Path path, unsigned window) {
        if (path == Path::slices) return payload_max;
        return frame_bytes * (path == Path::copy ? blocks_max + batch_max * window : blocks_max);
    }

    static void write_header(std::byte* at, std::uint16_t block) {
        bramble::ByteWriter writer(std::span(at, 4));
        writer.u16(3);
        writer.u16(block);
    }

    std::size_t slices_each() const { return path_ == Path::copy || path_ == Path::frames ? 1 : 2; }

    // The kernel tells which pages it has let go of; a queue that nobody reads stops the sending.
    void take_completions() const {
        std::array<std::byte, 128> control{};
        for (std::size_t i = 0; i < batch_max; ++i) {
            msghdr message{};
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            if (::recvmsg(data_, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
        }
    }

    // Fills one or two slices with the `index`-th datagram of this batch.
    void slice(std::size_t index, std::uint16_t block, std::span<iovec> out) {
        if (path_ == Path::frames) {
            out[0] = {&octets_[block * frame_bytes], frame_bytes};
            return;
        }
        std::byte* payload = &octets_[path_ == Path::slices ? 0 : block * payload_max];
        if (path_ == Path::copy) {
            std::byte* frame = &octets_[(blocks_max + index) * frame_bytes];
            write_header(frame, block);
            std::memcpy(frame + 4, payload, payload_max);
            out[0] = {frame, frame_bytes};
            return;
        }
        write_header(headers_[index].data(), block);
        out[0] = {headers_[index].data(), headers_[index].size()};
        out[1] = {payload, payload_max};
    }

    int data_;
    unsigned window_;
    Path path_;
    std::vector<std::array<std::byte, 4>> headers_;
    std::vector<std::array<std::byte, 516>> acks_;
    std::vector<std::byte> octets_;
};

}  // namespace

int main(int argc, char** argv) {
    unsigned window = 1;
    CLI::App app(
        "The limit of the machine's UDP path: answers ACKs with DATA, with no files and no state."
    );
    app.add_option("--windowsize", window, "blocks per ACK")->check(CLI::Range(1U, window_max));
    Path path = Path::slices;
    const std::map<std::string, Path> paths{
        {"slices", Path::slices},
        {"mapped", Path::mapped},
        {"copy", Path::copy},
        {"frames", Path::frames},
        {"zerocopy", Path::zerocopy},
        {"single", Path::single},
        {"uring", Path::uring},
        {"uring-zc", Path::uring_zc}};
    app.add_option("--path", path, "where the octets come from")
        ->transform(CLI::CheckedTransformer(paths));
    std::string host = "0.0.0.0";
    app.add_option("--bind", host, "the address to answer from; by default the machine's choice");
    CLI11_PARSE(app, argc, argv);
    const int control = open_socket(host, 69);
    const int data = open_socket(host, 0);
    if (control < 0 || data < 0) {
        std::fputs(
            "cannot bind port 69: is a TFTP server running here, or are you not root?\n", stderr
        );
        return 3;
    }
    std::signal(SIGTERM, [](int) { stopping = 1; });
    if (path == Path::uring || path == Path::uring_zc) {
        if (window != 1) {
            std::fputs("the io_uring paths answer with single blocks only\n", stderr);
            return 2;
        }
        bramble::bench::UringBlaster blaster(control, data, path == Path::uring_zc);
        while (stopping == 0) blaster.step([&] { serve_requests(control, data); });
        return 0;
    }
    Blaster blaster(data, window, path);
    while (stopping == 0) {
        std::array<pollfd, 2> wait = {{{control, POLLIN, 0}, {data, POLLIN, 0}}};
        ::poll(wait.data(), wait.size(), 1000);
        if ((wait[0].revents & POLLIN) != 0) serve_requests(control, data);
        if ((wait[1].revents & POLLIN) != 0) blaster.step();
    }
    return 0;
}
