// RFC 2131 §4.3.2 to §4.3.5: DHCPREQUEST in its four states, DHCPDECLINE, DHCPRELEASE, DHCPINFORM.
#include "services/dhcp/host_name.hpp"
#include "services/dhcp/server_state.hpp"

namespace bramble::dhcp {
namespace {

// RFC 2131 §4.3.2, table 4. Nothing: the fields fit no state.
std::optional<RequestState> state_of(const Message& message, const Arrival& arrival) {
    const bool names_address = message.options.has(OptionCode::requested_address);
    if (message.options.has(OptionCode::server_identifier)) {
        if (!names_address) return std::nullopt;
        return RequestState::selecting;
    }
    if (names_address && !message.ciaddr.is_set()) return RequestState::init_reboot;
    if (!message.ciaddr.is_set()) return std::nullopt;
    const bool to_all = arrival.destination == Ipv4Address::broadcast() || message.giaddr.is_set();
    return to_all ? RequestState::rebinding : RequestState::renewing;
}

}  // namespace

void Server::State::on_request(const Request& request, Outcome& out) {
    const Options& options = request.message.options;
    const auto state = state_of(request.message, request.arrival);
    if (!state) return;
    if (*state == RequestState::selecting) {
        const Ipv4Address server = *options.address(OptionCode::server_identifier);
        if (server != own_address()) {  // §3.1.4: to us, this declines our offer
            table_.withdraw_offer(request.key);
            std::erase_if(pending_, [&](const auto& entry) {
                return entry.second.key == request.key;
            });
            note_foreign_server(request, server, {}, out);
            const auto taken = options.address(OptionCode::requested_address);
            say(request, ChoseAnotherServer{server, taken.value_or(Ipv4Address())}, out);
            return learn_foreign_address(request, out);
        }
    }
    // Held firmware got no offer, so it has nothing to request.
    const bool held = is_boot_firmware(request.client.kind) && request.profile == nullptr;
    if (held) return;
    const bool by_option = *state == RequestState::selecting || *state == RequestState::init_reboot;
    const Ipv4Address address =
        by_option ? *options.address(OptionCode::requested_address) : request.message.ciaddr;
    Verdict verdict = judge(request, address, *state);
    switch (verdict.kind) {
        case Verdict::Kind::grant:
            return acknowledge(request, address, *state, out);
        case Verdict::Kind::refuse:
            return refuse(request, address, std::move(verdict.reason), out);
        case Verdict::Kind::silent:
            return;
    }
}

// Boards merge offers: this one may take another server's address and our boot data (fact sheet
// 1.6), and TFTP knows boards by address. Not an address that is another board's: whoever claims
// that one would change what the other is served.
void Server::State::learn_foreign_address(const Request& request, Outcome& out) {
    const auto address = request.message.options.address(OptionCode::requested_address);
    if (!address || !network().has_host(*address) || *address == own_address()) return;
    const fleet::Board* owner = index_->by_address(*address);
    if (owner != nullptr && owner != request.board) return;
    if (lease_of_another(request, *address) != nullptr) return;
    sight(request, *address, false, out);
}

Server::State::Verdict Server::State::judge(
    const Request& request, Ipv4Address address, RequestState state
) const {
    if (!network().has_host(address) || address == own_address()) {
        return {Verdict::Kind::refuse, "not an address for this network"};
    }
    const auto reserved = request.board != nullptr ? request.board->address : std::nullopt;
    if (!reserved) return judge_pool(request, address, state);
    if (*reserved != address) {
        return {Verdict::Kind::refuse, "the fleet gives this board " + reserved->to_string()};
    }
    if (lease_of_another(request, address) != nullptr) {
        return {Verdict::Kind::refuse, "leased to another client"};
    }
    return {Verdict::Kind::grant, ""};
}

Server::State::Verdict Server::State::judge_pool(
    const Request& request, Ipv4Address address, RequestState state
) const {
    const auto recorded = table_.address_of(request.key);
    const bool available = table_.available(address, request.key, request.now);
    switch (state) {
        case RequestState::selecting:
            // An offer may be older than this run of the server: a free address is then granted as
            // if it were remembered.
            if (available && recorded.value_or(address) == address) {
                return {Verdict::Kind::grant, ""};
            }
            return {Verdict::Kind::refuse, "not the address that was offered"};
        case RequestState::init_reboot:
            // §4.3.2: "If the DHCP server has no record of this client, then it MUST remain
            // silent".
            if (!recorded) return {Verdict::Kind::silent, ""};
            if (available && *recorded == address) return {Verdict::Kind::grant, ""};
            return {Verdict::Kind::refuse, "this client has another address"};
        case RequestState::renewing:
        case RequestState::rebinding:
            // The client evidently uses the address. When nobody else may, letting it go on is what
            // keeps two clients from having it, also after our records were lost.
            if (available) return {Verdict::Kind::grant, ""};
            return {Verdict::Kind::refuse, "not an address for this client"};
    }
    return {Verdict::Kind::silent, ""};
}

void Server::State::acknowledge(
    const Request& request, Ipv4Address address, RequestState state, Outcome& out
) {
    Lease lease;
    lease.address = address;
    lease.mac = request.client.mac;
    lease.client_id = request.key.client_id();
    lease.serial = request.client.serial;
    lease.board = request.client.board;
    lease.hostname = sanitize_host_name(request.message.options.text(OptionCode::host_name));
    lease.granted = request.now;
    if (const Lease* current = table_.live_lease_at(address, request.now)) {
        lease.granted = current->granted;
    }
    const Duration duration = lease_for(request);
    lease.expires = request.now + duration;
    pending_.erase(address);
    for (LeaseChange& change : table_.commit(lease, request.key, request.claim())) {
        out.lease_changes.push_back(std::move(change));
    }
    ReplyFacts facts = facts_for(request, MessageType::ack, boot_plan(request));
    facts.yiaddr = address;
    facts.ciaddr = request.message.ciaddr;
    facts.lease = duration;
    send(request, facts, destination_of(request.message, facts), out);
    say(request, Acknowledged{address, lease.expires, state}, out);
    sight(request, address, true, out);
}

void Server::State::refuse(
    const Request& request, Ipv4Address address, std::string reason, Outcome& out
) {
    // The client must stop using the address when it reads this; nobody else need wait for its end.
    if (table_.holder_of(address, request.now) == request.key) {
        if (auto change = table_.end_lease(address, request.now)) {
            out.lease_changes.push_back(std::move(*change));
        }
    }
    ReplyFacts facts;
    facts.type = MessageType::nak;
    facts.network = network();
    facts.configuration = false;
    facts.message = reason;
    send(request, facts, destination_of(request.message, facts), out);
    say(request, Refused{address, std::move(reason)}, out);
}

void Server::State::on_decline(const Request& request, Outcome& out) {
    const Options& options = request.message.options;
    const auto server = options.address(OptionCode::server_identifier);
    const auto address = options.address(OptionCode::requested_address);
    if ((server && *server != own_address()) || !address) return;
    if (request.board != nullptr && request.board->address == *address) {
        // The fleet says whose it is: no quarantine, but the operator must hear of it.
        return say(request, Declined{*address}, out);
    }
    // §4.3.3, only from the client that the address was given to: anyone else could starve the
    // pool.
    if (table_.holder_of(*address, request.now) != request.key) return;
    if (auto change = table_.quarantine(*address, request.now)) {
        out.lease_changes.push_back(std::move(*change));
    }
    ++counters_.quarantined;
    say(request, Declined{*address}, out);
}

void Server::State::on_release(const Request& request, Outcome& out) {
    const auto server = request.message.options.address(OptionCode::server_identifier);
    const Ipv4Address address = request.message.ciaddr;
    if ((server && *server != own_address()) || !address.is_set()) return;
    if (table_.holder_of(address, request.now) != request.key) return;
    auto change = table_.end_lease(address, request.now);
    if (!change) return;
    out.lease_changes.push_back(std::move(*change));
    say(request, Released{address}, out);
}

void Server::State::on_inform(const Request& request, Outcome& out) {
    const Ipv4Address address = request.message.ciaddr;
    if (!network().has_host(address) || address == own_address()) return;
    // §4.3.5: no lease time, no yiaddr, and no check for an existing lease.
    ReplyFacts facts = facts_for(request, MessageType::ack, boot_plan(request));
    facts.ciaddr = address;
    send(request, facts, ToClient{address, client_port}, out);
}

}  // namespace bramble::dhcp
