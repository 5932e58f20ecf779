// Who sends a message: what it says, what its hardware address showed earlier, what the fleet says.
#include <algorithm>
#include <iterator>

#include "services/dhcp/server_state.hpp"

namespace bramble::dhcp {
namespace {

// RFC 2131 §4.3.2: a server identifier marks the answer to an offer.
bool answers_an_offer(const Message& message) {
    return message.type == MessageType::request &&
           message.options.has(OptionCode::server_identifier);
}

}  // namespace

Request Server::State::identify(Message message, const Arrival& arrival, TimePoint now) {
    Request request;
    request.recognition = recognise(message);
    request.message = std::move(message);
    request.arrival = arrival;
    request.now = now;
    request.client.mac = request.message.chaddr;
    remember(request);
    recall(request);
    find_board(request);
    request.key = key_of(request);
    return request;
}

// Keeps what later messages of the same boot leave out; of plain clients it keeps nothing.
void Server::State::remember(const Request& request) {
    const MacAddress mac = request.client.mac;
    const Message& message = request.message;
    const Recognition& recognition = request.recognition;
    if (recognition.machine) {
        Remembered& remembered = memory_.touch(mac);
        remembered.machine = recognition.machine;
        const auto option = *message.options.find(OptionCode::machine_identifier);
        remembered.machine_option.assign(option.begin(), option.end());
    }
    const bool worth_it = memory_.find(mac) != nullptr || is_boot_firmware(recognition.kind);
    if (message.type == MessageType::discover && worth_it) {
        memory_.touch(mac).last_discover = recognition.kind;
    }
}

void Server::State::recall(Request& request) const {
    Client& client = request.client;
    client.kind = request.recognition.kind;
    request.remembered = memory_.find(client.mac);
    if (request.remembered != nullptr && request.remembered->machine) {
        client.serial = request.remembered->machine->serial;
        client.revision = request.remembered->machine->revision;
    } else if (const auto address = table_.address_of(ClientKey::of_mac(client.mac))) {
        if (const Lease* lease = table_.lease_at(*address)) client.serial = lease->serial;
    }
    // Old firmware leaves option 60 out of its request (fact sheet 1.3): what the DHCPDISCOVER
    // before it was tells who asks.
    if (client.kind == ClientKind::plain && request.remembered != nullptr &&
        answers_an_offer(request.message)) {
        client.kind = request.remembered->last_discover;
    }
}

void Server::State::find_board(Request& request) {
    Client& client = request.client;
    request.board = index_->by_identity(client.serial, client.mac);
    if (request.board == nullptr) {
        const auto& policy = fleet_->appliance.unknown_boards;
        const auto* enroll = std::get_if<fleet::EnrollUnknown>(&policy);
        if (enroll != nullptr && is_boot_firmware(client.kind)) {
            request.profile = fleet_->find_profile(enroll->profile);
        }
        return;
    }
    client.board = request.board->name;
    request.profile = fleet_->find_profile(request.board->profile);
    // Fact sheet pitfall 7: a Pi is known by its MAC as well, when its firmware shows no identity.
    const bool anonymous = client.kind == ClientKind::pxe &&
                           !request.message.options.has(OptionCode::machine_identifier);
    if (anonymous && fleet_->model_of(*request.board) != BoardModel::generic) {
        client.kind = ClientKind::pi_firmware;
        memory_.touch(client.mac).last_discover = client.kind;
        request.remembered = memory_.find(client.mac);
    }
}

// A board's firmware, kernel and userspace are one client with one address, whatever client
// identifier the last of them invents (deviation from RFC 2131 §4.2).
ClientKey Server::State::key_of(const Request& request) {
    const MacAddress mac = request.client.mac;
    const bool one_identity = request.board != nullptr || request.client.serial.has_value();
    const auto id = request.message.options.find(OptionCode::client_identifier);
    if (!id || one_identity) return ClientKey::of_mac(mac);
    std::vector<std::uint8_t> octets;
    std::transform(id->begin(), id->end(), std::back_inserter(octets), [](std::byte octet) {
        return static_cast<std::uint8_t>(octet);
    });
    return ClientKey::of_client_id(octets, mac);
}

}  // namespace bramble::dhcp
