// One DHCP phase of a board: DISCOVER, the OFFERs it collects and merges, REQUEST, ACK, with the
// timers of fact sheet 1.7 and 1.8. It refuses to know sockets and what the address is for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/types/ipv4.hpp"
#include "config/types/time_point.hpp"
#include "services/virtual_board/board.hpp"
#include "services/virtual_board/dhcp_wire.hpp"

namespace bramble::virtual_board {

// What an ACK (for the Pi 3 ROM: an OFFER) gave.
struct Lease {
    Ipv4Address address;
    Ipv4Address mask;
    std::optional<Ipv4Address> router;
    Ipv4Address server;               // option 54 of the address giver
    std::optional<Ipv4Address> boot;  // TFTP server by 1.4
    Ipv4Address next_server;          // siaddr
    std::string root_path;            // option 17
};

class DhcpClient {
public:
    static constexpr unsigned rom_tries_max = 5;     // fact sheet 2.8
    static constexpr unsigned kernel_sends_max = 6;  // CONF_SEND_RETRIES
    static constexpr unsigned userspace_sends_max = 4;
    static constexpr unsigned naks_max = 10;  // of one phase; our bound, the firmware's is unknown

    // `spec` and `counters` must outlive the client. `xid` is used for the whole phase; the ROM
    // has its own.
    DhcpClient(
        const BoardSpec& spec, DhcpStage stage, std::uint32_t xid, TimePoint now, Counters& counters
    );

    // `source` is the sender's address.
    void on_reply(const DhcpReply& reply, Ipv4Address source, TimePoint now);
    void on_deadline(TimePoint now);

    // The next broadcast to port 67, if one is due.
    std::optional<std::vector<std::byte>> poll_transmit(TimePoint now);
    std::optional<TimePoint> next_deadline() const;

    const std::optional<Lease>& lease() const { return lease_; }

    Failure failure() const { return failure_; }

    bool finished() const { return lease_.has_value() || failure_ != Failure::none; }

    std::uint32_t xid() const { return xid_; }

private:
    struct AddressPart {
        Ipv4Address yiaddr;
        std::optional<Ipv4Address> mask;
        std::optional<Ipv4Address> router;
        Ipv4Address server;
        DhcpReply offer;
    };

    void collect(const DhcpReply& reply, Ipv4Address source, TimePoint now);
    void restart(TimePoint now);
    void finish(const DhcpReply& reply, const AddressPart& part);
    void schedule_resend(TimePoint now);
    void give_up();
    std::uint16_t secs(TimePoint now) const;

    const BoardSpec& spec_;
    DhcpStage stage_;
    std::uint32_t xid_;
    Counters& counters_;
    TimePoint begun_;
    std::optional<TimePoint> phase_ends_;
    TimePoint resend_at_;
    unsigned sends_ = 0;
    unsigned naks_ = 0;
    bool send_due_ = true;
    std::optional<AddressPart> part_;
    std::optional<Ipv4Address> boot_;
    bool requesting_ = false;
    std::optional<Lease> lease_;
    Failure failure_ = Failure::none;
};

// The mask of an address's class: what a client assumes without option 1.
Ipv4Address class_mask(Ipv4Address address);

}  // namespace bramble::virtual_board
