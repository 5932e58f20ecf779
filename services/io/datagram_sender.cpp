#include "services/io/datagram_sender.hpp"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "services/io/udp_socket.hpp"

namespace bramble::io {

// How many from the front can leave as segments of one send: same peer, same size, only the last
// may be shorter.
std::size_t DatagramSender::group_size(std::span<const tftp::Outgoing> pending) const {
    if (!segmentation_) return 1;
    const std::size_t segment = pending.front().size();
    std::size_t bytes = segment;
    std::size_t count = 1;
    while (count < pending.size() && count < segments_max) {
        const tftp::Outgoing& next = pending[count];
        if (next.peer != pending.front().peer ||
            next.peer_is_there != pending.front().peer_is_there || next.size() > segment ||
            next.size() == 0)
            break;
        bytes += next.size();
        if (bytes > segmented_bytes_max) break;
        ++count;
        if (next.size() < segment) break;
    }
    return count;
}

void DatagramSender::add_message(
    std::size_t index, std::span<const tftp::Outgoing> group, std::size_t first
) {
    addresses_[index] = to_sockaddr(group.front().peer.address, group.front().peer.port);
    confirms_[index] = group.front().peer_is_there;
    datagrams_of_[index] = static_cast<std::uint16_t>(group.size());
    msghdr& header = messages_[index].msg_hdr;
    header = {};
    header.msg_name = &addresses_[index];
    header.msg_namelen = sizeof addresses_[index];
    header.msg_iov = &iovecs_[2 * first];
    header.msg_iovlen = 2 * group.size();
    for (std::size_t i = 0; i < group.size(); ++i) {
        const auto head = group[i].head();
        const auto payload = group[i].payload;
        iovecs_[2 * (first + i)] = {const_cast<std::byte*>(head.data()), head.size()};
        iovecs_[2 * (first + i) + 1] = {const_cast<std::byte*>(payload.data()), payload.size()};
    }
    if (group.size() == 1) return;
    header.msg_control = &control_[index * control_bytes];
    header.msg_controllen = control_bytes;
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto segment = static_cast<std::uint16_t>(group.front().size());
    std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
}

std::size_t DatagramSender::build(std::span<const tftp::Outgoing> pending) {
    std::size_t messages = 0;
    for (std::size_t first = 0; first < pending.size();) {
        const std::size_t count = group_size(pending.subspan(first));
        add_message(messages++, pending.subspan(first, count), first);
        first += count;
    }
    return messages;
}

// How many messages from `first` share their flags: sendmmsg has one set for all of a call.
std::size_t DatagramSender::run_length(std::size_t first, std::size_t messages) const {
    std::size_t end = first + 1;
    while (end < messages && confirms_[end] == confirms_[first]) ++end;
    return end - first;
}

DatagramSender::Progress DatagramSender::send(int fd, std::span<const tftp::Outgoing> pending) {
    pending = pending.first(std::min(pending.size(), batch_max));
    Progress progress;
    std::size_t messages = build(pending);
    std::size_t next = 0;
    while (next < messages) {
        ++counters_.system_calls;
        // A board in mid-transfer answers blocks, but not always ARP: what it acknowledged keeps
        // its neighbour entry fresh (fact sheet 8, rule 24), for which no privilege is needed.
        const int flags = confirms_[next] ? MSG_DONTWAIT | MSG_CONFIRM : MSG_DONTWAIT;
        const auto run = static_cast<unsigned>(run_length(next, messages));
        const int sent = ::sendmmsg(fd, &messages_[next], run, flags);
        if (sent > 0) {
            for (int i = 0; i < sent; ++i, ++next) {
                const std::size_t count = datagrams_of_[next];
                progress.consumed += count;
                if (count > 1) counters_.segmented += count;
            }
            continue;
        }
        if (sent < 0 && errno == EINTR) continue;
        switch (classify_send_error(errno)) {
            case SendFailure::again:
                ++counters_.blocked;
                progress.state = State::blocked;
                return progress;
            case SendFailure::congestion:
                ++counters_.congested;
                progress.state = State::congested;
                return progress;
            case SendFailure::offload:
                if (segmentation_) {
                    // This device cannot segment; build the rest anew, one datagram a message.
                    segmentation_ = false;
                    messages = build(pending.subspan(progress.consumed));
                    next = 0;
                    break;
                }
                [[fallthrough]];
            case SendFailure::damaged:
                counters_.refused += datagrams_of_[next];
                progress.consumed += datagrams_of_[next];
                progress.damaged = true;
                return progress;
            case SendFailure::refused:
                counters_.refused += datagrams_of_[next];
                progress.consumed += datagrams_of_[next];
                ++next;
                break;
        }
    }
    return progress;
}

}  // namespace bramble::io
