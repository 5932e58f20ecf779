#include "tests/bench/tftp/uring_blaster.hpp"

#include <poll.h>

#include <cstdlib>
#include <cstring>
#include <span>
#include <system_error>

#include "services/bytes/byte_reader.hpp"
#include "services/bytes/byte_writer.hpp"

namespace bramble::bench {
namespace {

constexpr std::uint64_t control_ready = ~std::uint64_t{0};
constexpr std::uint64_t data_ready = control_ready - 1;
constexpr std::uint16_t group = 0;
constexpr unsigned ring_entries = 512;
constexpr std::size_t blocks_max = 65'536;

void check(int result, const char* what) {
    if (result < 0) throw std::system_error(-result, std::generic_category(), what);
}

}  // namespace

UringBlaster::UringBlaster(int control, int data, bool zerocopy)
    : control_(control),
      data_(data),
      zerocopy_(zerocopy),
      received_(receives_max * receive_bytes),
      octets_(blocks_max * payload_bytes, std::byte{1}),
      sends_(sends_max) {
    io_uring_params wish{};
    wish.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    wish.cq_entries = 4 * sends_max;
    check(io_uring_queue_init_params(ring_entries, &ring_, &wish), "io_uring_queue_init_params");
    buffers_ = static_cast<io_uring_buf_ring*>(
        std::aligned_alloc(4096, receives_max * sizeof(io_uring_buf))
    );
    if (buffers_ == nullptr) throw std::bad_alloc();
    io_uring_buf_ring_init(buffers_);
    io_uring_buf_reg where{};
    where.ring_addr = reinterpret_cast<std::uintptr_t>(buffers_);
    where.ring_entries = receives_max;
    where.bgid = group;
    check(io_uring_register_buf_ring(&ring_, &where, 0), "io_uring_register_buf_ring");
    for (unsigned i = 0; i < receives_max; ++i) give_back(static_cast<std::uint16_t>(i));
    for (std::uint32_t i = 0; i < sends_max; ++i) {
        Send& send = sends_[i];
        send.message.msg_name = &send.peer;
        send.message.msg_namelen = sizeof send.peer;
        send.message.msg_iov = send.slices.data();
        send.message.msg_iovlen = send.slices.size();
        send.slices[0] = {send.header.data(), send.header.size()};
        free_.push_back(i);
    }
    shape_.msg_namelen = sizeof(sockaddr_in);
    await_control();
    await_data();
}

UringBlaster::~UringBlaster() {
    io_uring_queue_exit(&ring_);
    std::free(buffers_);
}

void UringBlaster::step(const std::function<void()>& requests) {
    io_uring_cqe* first = nullptr;
    __kernel_timespec second{.tv_sec = 1, .tv_nsec = 0};
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &second, nullptr);
    std::array<io_uring_cqe*, 256> batch{};
    const unsigned count = io_uring_peek_batch_cqe(&ring_, batch.data(), batch.size());
    for (io_uring_cqe* completion : std::span(batch).first(count)) {
        if (completion->user_data != control_ready) {
            take(*completion);
            continue;
        }
        requests();
        await_control();
    }
    io_uring_cq_advance(&ring_, count);
}

io_uring_sqe& UringBlaster::entry() {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
        check(io_uring_submit(&ring_), "io_uring_submit");
        entry = io_uring_get_sqe(&ring_);
    }
    if (entry == nullptr)
        throw std::system_error(EBUSY, std::generic_category(), "io_uring is full");
    return *entry;
}

void UringBlaster::await_control() {
    io_uring_sqe& poll = entry();
    io_uring_prep_poll_add(&poll, control_, POLLIN);
    poll.user_data = control_ready;
}

void UringBlaster::await_data() {
    io_uring_sqe& receive = entry();
    io_uring_prep_recvmsg_multishot(&receive, data_, &shape_, 0);
    receive.flags |= IOSQE_BUFFER_SELECT;
    receive.buf_group = group;
    receive.user_data = data_ready;
}

void UringBlaster::give_back(std::uint16_t buffer) {
    std::byte* at = &received_[buffer * receive_bytes];
    io_uring_buf_ring_add(
        buffers_, at, receive_bytes, buffer, io_uring_buf_ring_mask(receives_max), 0
    );
    io_uring_buf_ring_advance(buffers_, 1);
}

void UringBlaster::take(const io_uring_cqe& completion) {
    if (completion.user_data != data_ready) {
        // A zero-copy send completes twice: when it is sent, and when its pages are free again.
        if ((completion.flags & IORING_CQE_F_MORE) == 0) {
            free_.push_back(static_cast<std::uint32_t>(completion.user_data));
        }
        return;
    }
    if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
        const auto buffer = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
        if (completion.res > 0) {
            answer(std::span(received_).subspan(
                buffer * receive_bytes, static_cast<std::size_t>(completion.res)
            ));
        }
        give_back(buffer);
    }
    if ((completion.flags & IORING_CQE_F_MORE) == 0) await_data();
}

void UringBlaster::answer(std::span<std::byte> received) {
    io_uring_recvmsg_out* out =
        io_uring_recvmsg_validate(received.data(), static_cast<int>(received.size()), &shape_);
    if (out == nullptr || out->payloadlen != 4 || free_.empty()) return;
    const auto* ack = static_cast<const std::byte*>(io_uring_recvmsg_payload(out, &shape_));
    ByteReader reader(std::span(ack, 4));
    if (reader.u16() != 4) return;
    const auto block = static_cast<std::uint16_t>(*reader.u16() + 1);
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Send& send = sends_[index];
    std::memcpy(&send.peer, io_uring_recvmsg_name(out), sizeof send.peer);
    ByteWriter writer(send.header);
    writer.u16(3);
    writer.u16(block);
    send.slices[1] = {&octets_[block * payload_bytes], payload_bytes};
    io_uring_sqe& next = entry();
    if (zerocopy_) {
        io_uring_prep_sendmsg_zc(&next, data_, &send.message, 0);
    } else {
        io_uring_prep_sendmsg(&next, data_, &send.message, 0);
    }
    next.user_data = index;
}

}  // namespace bramble::bench
