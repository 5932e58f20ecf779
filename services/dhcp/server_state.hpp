// The inside of the DHCP server, shared by its source files and nobody else. It refuses to be
// included from another folder.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "config/fleet/fleet.hpp"
#include "services/dhcp/client_key.hpp"
#include "services/dhcp/client_memory.hpp"
#include "services/dhcp/lease_table.hpp"
#include "services/dhcp/reply.hpp"
#include "services/dhcp/server.hpp"

namespace bramble::dhcp {

// A probed offer leaves after this long at the latest; a client asks again after seconds.
inline constexpr Duration probe_wait = std::chrono::milliseconds(500);
inline constexpr std::size_t probes_max = 64;      // at once; beyond them, offers go unprobed
inline constexpr unsigned probe_attempts_max = 3;  // addresses tried for one DHCPDISCOVER
// A Pi 3 boot ROM can loop for ever when address and boot server come sooner (fact sheet 1.6).
inline constexpr Duration pi3_offer_delay = std::chrono::seconds(2);
inline constexpr std::size_t delayed_offers_max = 1024;  // beyond them, offers leave at once
// A board's firmware drops its DHCPDISCOVER so long after it first sent it, and begins anew (fact
// sheet 1.7).
inline constexpr Duration discover_time = std::chrono::seconds(45);
inline constexpr std::uint8_t hops_max = 16;  // RFC 1542 §4.1.1
inline constexpr Duration lease_min = std::chrono::seconds(60);
inline constexpr Duration foreign_server_pause = std::chrono::minutes(1);
inline constexpr std::size_t foreign_servers_max = 16;
inline constexpr std::size_t sightings_max = 4096;  // addresses of boards, beside the fleet's own
inline constexpr Duration sighting_time = std::chrono::hours(24);

// A message with what is known of its sender. Lives for one call.
struct Request {
    Message message;
    Arrival arrival;
    TimePoint now;
    Recognition recognition;
    Client client;                            // kind: after memory has had its say
    const Remembered* remembered = nullptr;   // nullptr: nothing
    const fleet::Board* board = nullptr;      // nullptr: not in the fleet
    const fleet::Profile* profile = nullptr;  // the board's, or the one that it is enrolled with
    ClientKey key = ClientKey::of_mac(MacAddress());
    bool released = false;  // a DHCPDISCOVER that was held before, not one that came in

    Claim claim() const { return board != nullptr ? Claim::board : Claim::stranger; }
};

class Server::State {
public:
    State(std::shared_ptr<const fleet::Fleet> fleet, BootGate* gate);

    void set_fleet(std::shared_ptr<const fleet::Fleet> fleet);
    void restore(std::span<const Lease> leases);
    void on_message(
        std::span<const std::byte> datagram, const Arrival& arrival, TimePoint now, Outcome& out
    );
    void on_overheard(
        std::span<const std::byte> datagram, const Sender& sender, TimePoint now, Outcome& out
    );
    void on_probe_result(Ipv4Address address, bool in_use, TimePoint now, Outcome& out);
    void on_deadline(TimePoint now, Outcome& out);
    void release(const std::string& board, TimePoint now, Outcome& out);
    std::optional<TimePoint> next_deadline() const;
    std::optional<Holder> holder(Ipv4Address address, TimePoint now) const;

    const LeaseTable& table() const { return table_; }

    const Counters& counters() const { return counters_; }

private:
    // A DHCPDISCOVER whose offer waits for a probe.
    struct Pending {
        Message message;
        Arrival arrival;
        ClientKey key;
        unsigned attempts = 1;
        TimePoint deadline;
    };

    // A DHCPDISCOVER that is answered later: what the client asked last.
    struct Delayed {
        Message message;
        Arrival arrival;
        TimePoint deadline;
    };

    // A DHCPDISCOVER that the gate let wait.
    struct HeldDiscover {
        Message message;
        Arrival arrival;
        TimePoint began;  // when its xid was first seen
    };

    struct Sighting {
        Holder holder;
        TimePoint at;
    };

    struct ForeignSeen {
        TimePoint said;
        std::optional<MacAddress> mac;
    };

    // What a reply will say about booting, or why there is none.
    struct BootPlan {
        BootData data = NoBoot{};
        bool tftp_server = false;
        std::string root_path;
        std::optional<HoldReason> hold;
    };

    struct Verdict {
        enum class Kind { grant, refuse, silent } kind;
        std::string reason;
    };

    // server.cpp: the door
    bool acceptable(const Message& message, const Arrival& arrival);
    void dispatch(const Request& request, Outcome& out);
    void say(const Request& request, EventBody what, Outcome& out) const;

    // server_identify.cpp
    Request identify(Message message, const Arrival& arrival, TimePoint now);
    void remember(const Request& request);
    void recall(Request& request) const;
    void find_board(Request& request);
    static ClientKey key_of(const Request& request);

    // server_discover.cpp
    void on_discover(const Request& request, Outcome& out);
    bool may_begin(const Request& request, Outcome& out);
    bool delay_offer(const Request& request);
    void answer_delayed(const Delayed& delayed, TimePoint now, Outcome& out);
    void offer_address(const Request& request, Outcome& out);
    void offer_reserved(const Request& request, Ipv4Address address, Outcome& out);
    void offer_from_pool(const Request& request, unsigned attempt, Outcome& out);
    void send_offer(const Request& request, Ipv4Address address, Outcome& out);
    void hold(const Request& request, HoldReason reason, std::string detail, Outcome& out);
    void keep_held(const Request& request);
    void forget_outdated_lease(const Request& request, Outcome& out);
    void finish_pending(const Pending& pending, Ipv4Address address, TimePoint now, Outcome& out);
    const Lease* lease_of_another(const Request& request, Ipv4Address address) const;

    // server_request.cpp
    void on_request(const Request& request, Outcome& out);
    Verdict judge(const Request& request, Ipv4Address address, RequestState state) const;
    Verdict judge_pool(const Request& request, Ipv4Address address, RequestState state) const;
    void acknowledge(const Request& request, Ipv4Address address, RequestState state, Outcome& out);
    void refuse(const Request& request, Ipv4Address address, std::string reason, Outcome& out);
    void on_decline(const Request& request, Outcome& out);
    void on_release(const Request& request, Outcome& out);
    void on_inform(const Request& request, Outcome& out);

    // server_observe.cpp: proxy mode, other servers, who is where
    void on_proxy_discover(const Request& request, Outcome& out);
    void offer_boot_server(const Request& request, Outcome& out);
    void on_boot_server_request(const Request& request, Outcome& out);
    void on_foreign_reply(const Request& request, Outcome& out);
    void overhear(const Request& request, Outcome& out);
    void learn_foreign_address(const Request& request, Outcome& out);
    void note_foreign_server(
        const Request& request, Ipv4Address server, std::optional<MacAddress> mac, Outcome& out
    );
    void sight(const Request& request, Ipv4Address address, bool ours, Outcome& out);

    // server_boot.cpp: what a reply says
    BootPlan boot_plan(const Request& request) const;
    bool is_pi3(const Request& request) const;
    BootData pi_boot(const Request& request) const;
    std::optional<BootData> file_boot(const Request& request, std::string bootfile) const;
    ReplyFacts facts_for(const Request& request, MessageType type, const BootPlan& plan) const;
    Duration lease_for(const Request& request) const;
    void send(
        const Request& request, const ReplyFacts& facts, Destination destination, Outcome& out
    );

    const Ipv4Network& network() const { return fleet_->appliance.address; }

    Ipv4Address own_address() const { return network().address(); }

    fleet::DhcpMode mode() const { return fleet_->appliance.dhcp.mode; }

    std::shared_ptr<const fleet::Fleet> fleet_;  // shared with its other readers, replaced whole
    std::unique_ptr<fleet::BoardIndex> index_;   // of *fleet_
    BootGate* gate_;
    LeaseTable table_;
    ClientMemory memory_;
    std::map<Ipv4Address, Pending> pending_;
    std::unordered_map<std::string, HeldDiscover> held_;  // by board: no more than the fleet has
    std::unordered_map<MacAddress, Delayed> delayed_;
    std::unordered_map<Ipv4Address, Sighting> sightings_;
    std::map<Ipv4Address, ForeignSeen> foreign_servers_;
    Counters counters_;
};

// RFC 2131 §4.1.
Destination destination_of(const Message& request, const ReplyFacts& facts);

}  // namespace bramble::dhcp
