// What a reply says beside the address, and where it goes.
#include <algorithm>

#include "services/dhcp/pxe_options.hpp"
#include "services/dhcp/server_state.hpp"

namespace bramble::dhcp {
namespace {

bool is_url(std::string_view bootfile) {
    return bootfile.find("://") != std::string_view::npos;
}

bool asks_for(const Message& message, OptionCode code) {
    const auto list = message.options.find(OptionCode::parameter_request_list);
    return list &&
           std::find(list->begin(), list->end(), static_cast<std::byte>(code)) != list->end();
}

}  // namespace

Server::State::BootPlan Server::State::boot_plan(const Request& request) const {
    BootPlan plan;
    if (request.profile == nullptr) return plan;
    plan.tftp_server = true;
    BootParameters parameters;
    if (gate_ != nullptr && request.board != nullptr) {
        parameters =
            gate_->parameters(BootCandidate{request.client, request.board, request.profile});
    }
    plan.root_path = std::move(parameters.root_path);
    if (request.client.kind == ClientKind::pi_firmware) {
        plan.data = pi_boot(request);
        return plan;
    }
    std::string bootfile = std::move(parameters.bootfile);
    if (bootfile.empty()) bootfile = request.profile->dhcp_bootfile.value_or("");
    if (auto data = file_boot(request, std::move(bootfile))) {
        plan.data = std::move(*data);
    } else {
        plan.hold = HoldReason::no_bootfile;
    }
    return plan;
}

bool Server::State::is_pi3(const Request& request) const {
    const Remembered* remembered = request.remembered;
    if (request.board != nullptr) return fleet_->model_of(*request.board) == BoardModel::pi3;
    if (remembered == nullptr || !remembered->machine) return false;
    if (const auto model = remembered->machine->model()) return *model == BoardModel::pi3;
    // Of unknown boards that repeat their serial, most are Pi 3B+; spaces and a wait harm no other.
    return remembered->machine->form == MachineIdForm::serial_repeated;
}

BootData Server::State::pi_boot(const Request& request) const {
    PiBoot boot;
    boot.menu_text = is_pi3(request) ? raspberry_pi_boot_pi3 : raspberry_pi_boot;
    if (request.remembered != nullptr) boot.machine_option = request.remembered->machine_option;
    return boot;
}

// Nothing: the client can load only what the profile does not name.
std::optional<BootData> Server::State::file_boot(const Request& request, std::string bootfile)
    const {
    const bool proxy = mode() == fleet::DhcpMode::proxy || request.arrival.local_port == proxy_port;
    const std::string pxe_class = proxy ? "PXEClient" : "";
    const bool uefi = request.recognition.uefi;
    switch (request.client.kind) {
        case ClientKind::http_boot:
            if (!is_url(bootfile)) return std::nullopt;
            return FileBoot{std::move(bootfile), "HTTPClient"};
        case ClientKind::ipxe:
            return FileBoot{std::move(bootfile), pxe_class, proxy};
        case ClientKind::pxe:
            if (is_url(bootfile)) bootfile.clear();
            // Some UEFIs ignore an offer that bypasses discovery, and all ask on port 4011 when
            // option 43 says nothing.
            return FileBoot{std::move(bootfile), pxe_class, proxy && !uefi};
        case ClientKind::u_boot:
            if (is_url(bootfile)) bootfile.clear();
            return FileBoot{std::move(bootfile), ""};
        case ClientKind::plain: {
            // GRUB shows nothing of itself but asks for a boot file; an operating system does not.
            if (bootfile.empty() || is_url(bootfile)) return NoBoot{};
            if (!asks_for(request.message, OptionCode::bootfile_name)) return NoBoot{};
            return FileBoot{std::move(bootfile), ""};
        }
        case ClientKind::pi_firmware:
            break;
    }
    return NoBoot{};
}

ReplyFacts Server::State::facts_for(const Request& request, MessageType type, const BootPlan& plan)
    const {
    const fleet::DhcpSettings& settings = fleet_->appliance.dhcp;
    ReplyFacts facts;
    facts.type = type;
    facts.network = network();
    facts.router = settings.router;
    facts.dns = settings.dns;
    facts.domain = settings.domain;
    facts.host_name = request.client.board;
    facts.root_path = plan.root_path;
    facts.tftp_server = plan.tftp_server;
    facts.boot = plan.data;
    return facts;
}

Duration Server::State::lease_for(const Request& request) const {
    const Duration configured = fleet_->appliance.dhcp.lease;
    const auto asked_s = request.message.options.u32(OptionCode::lease_time);
    if (!asked_s) return configured;
    return std::min(configured, std::max<Duration>(lease_min, std::chrono::seconds(*asked_s)));
}

void Server::State::send(
    const Request& request, const ReplyFacts& facts, Destination destination, Outcome& out
) {
    BuiltReply built = build_reply(request.message, facts);
    counters_.options_left_out += built.options_left_out;
    ++counters_.sent[static_cast<std::size_t>(facts.type)];
    // In proxy mode the client has no address of ours; a relay can only broadcast to it.
    if (facts.type == MessageType::offer && !facts.yiaddr.is_set()) built.message.broadcast = true;
    Reply reply;
    reply.bytes = emit(built.message, bootp_bytes_min);
    reply.destination = destination;
    reply.local_port = request.arrival.local_port;
    reply.type = facts.type;
    out.replies.push_back(std::move(reply));
}

Destination destination_of(const Message& request, const ReplyFacts& facts) {
    if (request.giaddr.is_set()) return ToRelay{request.giaddr};
    if (facts.type == MessageType::nak) return Broadcast{};
    // Only an address of ours: a forged one must not make us send into other networks.
    if (facts.network.has_host(request.ciaddr)) return ToClient{request.ciaddr};
    if (request.broadcast) return Broadcast{};
    return ToHardware{request.chaddr, facts.yiaddr};
}

}  // namespace bramble::dhcp
