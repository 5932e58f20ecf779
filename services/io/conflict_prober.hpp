// Asks the wire whether somebody uses an address, without making anyone wait: probes run side by
// side, each with its own deadline. It refuses to know why it is asked.
#pragma once

#include <functional>
#include <map>

#include "config/types/ipv4.hpp"
#include "config/types/mac_address.hpp"
#include "services/io/loop.hpp"
#include "services/io/packet_socket.hpp"

namespace bramble::io {

class ConflictProber {
public:
    // Two ARP probes, and an answer is waited for as long as a busy board may take. RFC 5227 waits
    // up to 3 s; firmware repeats its DISCOVER before that, so this is a compromise in its favour.
    static constexpr Duration repeat_after = std::chrono::milliseconds(150);
    static constexpr Duration wait = std::chrono::milliseconds(400);
    static constexpr std::size_t probes_max = 256;  // at once; one more is answered "free" at once

    using OnResult = std::function<void(Ipv4Address address, bool in_use)>;

    // `socket` outlives the prober. Results come on the loop, never from inside probe().
    ConflictProber(Loop& loop, PacketSocket& socket, MacAddress own, OnResult on_result);

    void probe(Ipv4Address address);

private:
    struct Pending {
        TimePoint repeat_at;
        TimePoint give_up_at;
        bool repeated = false;
    };

    void on_frames();
    void on_deadline();
    void schedule();
    void send_probe(Ipv4Address address);

    Loop& loop_;
    PacketSocket& socket_;
    MacAddress own_;
    OnResult on_result_;
    std::map<Ipv4Address, Pending> pending_;
    Timer timer_;
    Watch watch_;
};

}  // namespace bramble::io
