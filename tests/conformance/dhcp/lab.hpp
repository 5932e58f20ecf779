// A small fleet, a server and clients that speak to it, for tests about DHCP. It refuses to assert:
// tests do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/fleet/fleet.hpp"
#include "services/dhcp/machine_id.hpp"
#include "services/dhcp/message.hpp"
#include "services/dhcp/server.hpp"

namespace bramble {

inline void PrintTo(const Ipv4Address& address, std::ostream* out) {
    *out << address.to_string();
}

}  // namespace bramble

namespace bramble::dhcp::test {

using namespace std::chrono_literals;

inline Ipv4Address ip(std::string_view text) {
    return Ipv4Address::parse(text).value();
}

inline MacAddress mac(std::string_view text) {
    return MacAddress::parse(text).value();
}

inline TimePoint at(Duration since_start) {
    return TimePoint(std::chrono::hours(480'000)) + since_start;
}

// "63 82 53" or "638253": pairs of hex digits, blanks ignored.
std::vector<std::byte> hex(std::string_view text);
std::string to_hex(std::span<const std::byte> bytes);
std::string to_hex(const Options& options, OptionCode code);  // "absent" when it is

inline constexpr std::string_view server_text = "172.16.1.1";
inline constexpr std::string_view pi_mac = "dc:a6:32:01:02:03";

// pi-01: by serial and MAC, 172.16.1.3. pi-02: by serial alone, .4. pi-03: a Pi 3, by MAC, .5.
// pi-pool: by serial, no address. vm-01, vm-url, vm-bare: no Raspberry Pi firmware, .20 to .22.
fleet::Fleet lab_fleet();

// A client as the wire shows it: a MAC and the options of all its messages.
struct TestClient {
    MacAddress hardware;
    Options always;  // before the message's own
    std::uint32_t xid = 0x0a0b0c0d;
    bool broadcast = false;

    explicit TestClient(std::string_view mac_text) : hardware(mac(mac_text)) {}

    Message message(MessageType type) const {
        Message out;
        out.type = type;
        out.xid = TransactionId(xid);
        out.chaddr = hardware;
        out.broadcast = broadcast;
        out.options = always;
        return out;
    }

    Message discover() const { return message(MessageType::discover); }

    // RFC 2131 §4.3.2, table 4.
    Message selecting(Ipv4Address address, Ipv4Address server = ip(server_text)) const {
        Message out = message(MessageType::request);
        out.options.set_address(OptionCode::requested_address, address);
        out.options.set_address(OptionCode::server_identifier, server);
        return out;
    }

    Message init_reboot(Ipv4Address address) const {
        Message out = message(MessageType::request);
        out.options.set_address(OptionCode::requested_address, address);
        return out;
    }

    Message renewing(Ipv4Address address) const {
        Message out = message(MessageType::request);
        out.ciaddr = address;
        return out;
    }

    Message declining(Ipv4Address address) const {
        Message out = selecting(address);
        out.type = MessageType::decline;
        return out;
    }

    Message releasing(Ipv4Address address) const {
        Message out = message(MessageType::release);
        out.ciaddr = address;
        out.options.set_address(OptionCode::server_identifier, ip(server_text));
        return out;
    }
};

// The options of a Raspberry Pi's DHCPDISCOVER after option 53 (fact sheet 1.1), in their order.
TestClient pi_client(
    std::string_view mac_text, Serial serial, MachineIdForm form = MachineIdForm::rpi4_reversed
);

inline Arrival from(Ipv4Address source, Ipv4Address destination = Ipv4Address::broadcast()) {
    Arrival arrival;
    arrival.source = source;
    arrival.destination = destination;
    return arrival;
}

class Lab {
public:
    explicit Lab(fleet::Fleet fleet = lab_fleet(), BootGate* gate = nullptr)
        : server(std::make_shared<const fleet::Fleet>(std::move(fleet)), gate) {}

    // Sends, and settles: probes find nobody, unless `occupied` says so. Lease changes go to
    // `stored`, as a lease store would keep them.
    Outcome send(const Message& message, TimePoint now, const Arrival& arrival = {}) {
        return send_bytes(emit(message, bootp_bytes_min), now, arrival);
    }

    Outcome send_bytes(
        std::span<const std::byte> bytes, TimePoint now, const Arrival& arrival = {}
    ) {
        Outcome out = server.on_message(bytes, arrival, now);
        for (std::size_t i = 0; i < out.probes.size(); ++i) {
            const Ipv4Address address = out.probes[i].address;
            const bool in_use =
                std::find(occupied.begin(), occupied.end(), address) != occupied.end();
            Outcome more = server.on_probe_result(address, in_use, now);
            append(out.lease_changes, more.lease_changes);
            append(out.replies, more.replies);
            append(out.probes, more.probes);
            append(out.events, more.events);
        }
        // Patient, too: what a Pi 3 waits for is its offer.
        if (const auto due = server.next_deadline(); patient && due && *due <= now + 2s) {
            Outcome more = server.on_deadline(*due);
            append(out.replies, more.replies);
            append(out.events, more.events);
        }
        for (const LeaseChange& change : out.lease_changes) {
            if (const auto* put = std::get_if<PutLease>(&change)) {
                stored.insert_or_assign(put->lease.address, put->lease);
            } else {
                stored.erase(std::get<RemoveLease>(change).address);
            }
        }
        return out;
    }

    // The only reply, read back; nothing when there is none (or several).
    std::optional<Message> answer(
        const Message& message, TimePoint now, const Arrival& arrival = {}
    ) {
        const Outcome out = send(message, now, arrival);
        if (out.replies.size() != 1) return std::nullopt;
        auto parsed = parse(out.replies[0].bytes);
        if (!parsed) return std::nullopt;
        return *parsed;
    }

    // DISCOVER, OFFER, REQUEST, ACK; the address, or nothing when any of it fails.
    std::optional<Ipv4Address> bind(const TestClient& client, TimePoint now) {
        const auto offer = answer(client.discover(), now);
        if (!offer || offer->type != MessageType::offer) return std::nullopt;
        const auto ack = answer(client.selecting(offer->yiaddr), now);
        if (!ack || ack->type != MessageType::ack) return std::nullopt;
        return ack->yiaddr;
    }

    // The program starts again with what was stored.
    void restart(fleet::Fleet fleet = lab_fleet(), BootGate* gate = nullptr) {
        server = Server(std::make_shared<const fleet::Fleet>(std::move(fleet)), gate);
        std::vector<Lease> leases;
        for (const auto& [address, lease] : stored) leases.push_back(lease);
        server.restore(leases);
    }

    void change_fleet(fleet::Fleet fleet) {
        server.set_fleet(std::make_shared<const fleet::Fleet>(std::move(fleet)));
    }

    Server server;
    bool patient = false;
    std::vector<Ipv4Address> occupied;
    std::map<Ipv4Address, Lease> stored;

private:
    template <typename T>
    static void append(std::vector<T>& to, const std::vector<T>& from) {
        to.insert(to.end(), from.begin(), from.end());
    }
};

template <typename T>
const T* find_event(const Outcome& outcome) {
    for (const Event& event : outcome.events) {
        if (const T* what = std::get_if<T>(&event.what)) return what;
    }
    return nullptr;
}

inline std::string mac_number(unsigned n) {
    return MacAddress({2,
                       0,
                       0,
                       static_cast<std::uint8_t>(n >> 16U),
                       static_cast<std::uint8_t>(n >> 8U),
                       static_cast<std::uint8_t>(n)})
        .to_string();
}

}  // namespace bramble::dhcp::test
