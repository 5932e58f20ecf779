// Beside other DHCP servers: proxy mode (PXE 2.1 §2.2), what is overheard, who is where.
#include <algorithm>

#include "services/dhcp/server_state.hpp"

namespace bramble::dhcp {

void Server::State::on_proxy_discover(const Request& request, Outcome& out) {
    const ClientKind kind = request.client.kind;
    if (!is_boot_firmware(kind)) {
        return say(request, Discovered{request.message.xid, request.message.secs}, out);
    }
    if (!may_begin(request, out)) return;
    if (kind == ClientKind::u_boot) return;  // knows nothing of a second server's offer
    if (!delay_offer(request)) offer_boot_server(request, out);
}

void Server::State::offer_boot_server(const Request& request, Outcome& out) {
    const BootPlan plan = boot_plan(request);
    const auto* file = std::get_if<FileBoot>(&plan.data);
    if (file != nullptr && file->bootfile.empty()) {
        return hold(request, HoldReason::no_bootfile, "", out);
    }
    ReplyFacts facts = facts_for(request, MessageType::offer, plan);
    facts.configuration = false;
    // Without an address of ours for the client, only a broadcast reaches it.
    Destination destination = Broadcast{};
    if (request.message.giaddr.is_set()) destination = ToRelay{request.message.giaddr};
    send(request, facts, destination, out);
    say(request, Offered{Ipv4Address()}, out);
}

// PXE 2.1 §2.2.5: a unicast DHCPREQUEST to port 4011, from a client that has its address from
// another server. The answer goes to the port that it came from.
void Server::State::on_boot_server_request(const Request& request, Outcome& out) {
    const ClientKind kind = request.client.kind;
    const Message& message = request.message;
    const Ipv4Address client = message.ciaddr.is_set() ? message.ciaddr : request.arrival.source;
    const bool asks = message.type == MessageType::request || message.type == MessageType::inform;
    const std::uint16_t port = request.arrival.source_port;
    constexpr std::uint16_t first_unprivileged_port = 1024;
    // Never answered to another service's port: two servers could talk for ever.
    const bool sane_port = port == client_port || port >= first_unprivileged_port;
    const bool pxe =
        kind == ClientKind::pxe || kind == ClientKind::ipxe || kind == ClientKind::pi_firmware;
    if (!asks || !pxe || !sane_port || request.profile == nullptr) return;
    if (!network().has_host(client) || client == own_address()) return;
    sight(request, client, false, out);
    const BootPlan plan = boot_plan(request);
    const auto* file = std::get_if<FileBoot>(&plan.data);
    if (plan.hold || (file != nullptr && file->bootfile.empty())) return;
    ReplyFacts facts = facts_for(request, MessageType::ack, plan);
    facts.configuration = false;
    facts.ciaddr = message.ciaddr;
    send(request, facts, ToClient{client, port}, out);
    say(request, BootServerAnswered{client, file != nullptr ? file->bootfile : ""}, out);
}

// D11: what another server broadcasts to a client. A relay's broadcast has the relay's MAC and
// source: the server is whom the message names.
void Server::State::on_overheard(
    std::span<const std::byte> datagram, const Sender& sender, TimePoint now, Outcome& out
) {
    auto message = parse(datagram);
    if (!message) {
        ++counters_.malformed;
        return;
    }
    const MessageType type = message->type;
    const bool answers =
        message->op == Operation::reply &&
        (type == MessageType::offer || type == MessageType::ack || type == MessageType::nak);
    const auto server = message->options.address(OptionCode::server_identifier);
    if (!answers || server.value_or(sender.address) == own_address()) return;
    Request seen;
    seen.message = std::move(*message);
    seen.now = now;
    seen.client.mac = seen.message.chaddr;
    recall(seen);
    find_board(seen);
    note_foreign_server(seen, server.value_or(sender.address), sender.mac, out);
    const bool rivals = type == MessageType::offer && mode() == fleet::DhcpMode::authoritative;
    if (!rivals || seen.board == nullptr) return;
    say(seen, OfferedByAnother{server.value_or(sender.address), seen.message.yiaddr}, out);
}

// D11: a server's message on the servers' port.
void Server::State::on_foreign_reply(const Request& request, Outcome& out) {
    const auto server = request.message.options.address(OptionCode::server_identifier);
    if (server && *server != own_address()) note_foreign_server(request, *server, {}, out);
}

// Broadcast requests tell which address another server gave to whom: TFTP knows boards by address.
void Server::State::overhear(const Request& request, Outcome& out) {
    if (request.message.type != MessageType::request) return;
    const Options& options = request.message.options;
    const auto server = options.address(OptionCode::server_identifier);
    if (server && *server != own_address()) note_foreign_server(request, *server, {}, out);
    const auto requested = options.address(OptionCode::requested_address);
    const Ipv4Address address = requested.value_or(request.message.ciaddr);
    if (network().has_host(address) && address != own_address()) {
        sight(request, address, false, out);
    }
}

void Server::State::note_foreign_server(
    const Request& request, Ipv4Address server, std::optional<MacAddress> mac, Outcome& out
) {
    ++counters_.foreign_servers;
    const auto found = foreign_servers_.find(server);
    const bool known = found != foreign_servers_.end();
    if (known) {
        const bool is_news = mac && !found->second.mac;  // now it can be found
        if (!is_news && request.now < found->second.said + foreign_server_pause) return;
        if (!mac) mac = found->second.mac;
    } else if (foreign_servers_.size() >= foreign_servers_max) {
        std::erase_if(foreign_servers_, [&](const auto& entry) {
            return entry.second.said + foreign_server_pause <= request.now;
        });
        if (foreign_servers_.size() >= foreign_servers_max) return;
    }
    foreign_servers_.insert_or_assign(server, ForeignSeen{request.now, mac});
    say(request, ForeignServer{server, mac}, out);
}

void Server::State::sight(const Request& request, Ipv4Address address, bool ours, Outcome& out) {
    const bool matters = request.board != nullptr || request.client.serial;
    if (!matters) {
        // Somebody else has the address now; what was known of it is no longer true.
        sightings_.erase(address);
        return;
    }
    const bool is_new = !sightings_.contains(address);
    if (is_new && sightings_.size() >= sightings_max + fleet_->boards.size()) {
        const auto oldest = std::min_element(
            sightings_.begin(),
            sightings_.end(),
            [](const auto& a, const auto& b) {  // boards of the fleet stay
                const bool a_board = !a.second.holder.board.empty();
                const bool b_board = !b.second.holder.board.empty();
                return a_board != b_board ? b_board : a.second.at < b.second.at;
            }
        );
        sightings_.erase(oldest);
    }
    const Client& client = request.client;
    sightings_.insert_or_assign(
        address, Sighting{Holder{client.mac, client.serial, client.board}, request.now}
    );
    say(request, AddressLearned{address, ours}, out);
}

}  // namespace bramble::dhcp
