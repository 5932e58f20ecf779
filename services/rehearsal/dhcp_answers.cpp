#include "services/rehearsal/dhcp_answers.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "services/dhcp/server.hpp"
#include "services/rehearsal/manifest_gate.hpp"
#include "services/rehearsal/spec.hpp"
#include "services/virtual_board/dhcp_wire.hpp"

namespace bramble::rehearsal {
namespace {

using dhcp::OptionCode;

constexpr TimePoint beginning{std::chrono::hours(24 * 365 * 55)};
constexpr std::uint32_t xid = 0x62726d62;
constexpr int steps_max = 8;  // probes and delayed offers before an answer leaves

// What a generic board's U-Boot asks.
std::vector<std::byte> of_u_boot(
    dhcp::MessageType type, MacAddress mac, const dhcp::Message* offer
) {
    dhcp::Message message;
    message.xid = dhcp::TransactionId(xid);
    message.chaddr = mac;
    message.type = type;
    if (offer != nullptr) {
        message.options.set_address(OptionCode::requested_address, offer->yiaddr);
        const auto server = offer->options.address(OptionCode::server_identifier);
        if (server) message.options.set_address(OptionCode::server_identifier, *server);
    }
    message.options.set_text(OptionCode::vendor_class, "U-Boot.armv8");
    constexpr std::array asked = {
        OptionCode::subnet_mask,
        OptionCode::router,
        OptionCode::domain_name_server,
        OptionCode::host_name,
        OptionCode::root_path,
        OptionCode::tftp_server_name,
        OptionCode::bootfile_name};
    std::array<std::byte, asked.size()> list{};
    for (std::size_t i = 0; i < asked.size(); ++i) list[i] = static_cast<std::byte>(asked[i]);
    message.options.set(OptionCode::parameter_request_list, list);
    return dhcp::emit(message);
}

// One exchange after the other with a server that nobody else asks.
class Wire {
public:
    Wire(const fleet::Fleet& fleet, const layout::Manifest& manifest, std::string& held)
        : gate_(manifest),
          server_(std::make_shared<const fleet::Fleet>(fleet), &gate_),
          held_(held) {}

    std::optional<dhcp::Message> ask(const std::vector<std::byte>& request) {
        reply_.reset();
        take(server_.on_message(request, {}, now_));
        for (int i = 0; i < steps_max && !reply_; ++i) {
            const auto due = server_.next_deadline();
            if (!due || *due > now_ + std::chrono::seconds(10)) break;
            now_ = std::max(now_, *due);
            take(server_.on_deadline(now_));
        }
        return std::move(reply_);
    }

private:
    void take(const dhcp::Outcome& outcome) {
        for (const dhcp::Event& event : outcome.events) {
            const auto* held = std::get_if<dhcp::Held>(&event.what);
            if (held == nullptr) continue;
            held_ = std::string(dhcp::to_string(held->reason));
            if (!held->detail.empty()) held_ += ": " + held->detail;
        }
        for (const dhcp::Reply& reply : outcome.replies) {
            if (auto message = dhcp::parse(reply.bytes)) reply_ = std::move(*message);
        }
        for (const dhcp::Probe& probe : outcome.probes) {  // nobody else is on this wire
            take(server_.on_probe_result(probe.address, false, now_));
        }
    }

    ManifestGate gate_;
    dhcp::Server server_;
    TimePoint now_ = beginning;
    std::optional<dhcp::Message> reply_;
    std::string& held_;
};

}  // namespace

DhcpAnswers ask_dhcp(
    const fleet::Fleet& fleet, const layout::Manifest& manifest, const layout::BoardEntry& board
) {
    DhcpAnswers answers;
    Wire wire(fleet, manifest, answers.held);
    const virtual_board::BoardSpec spec = spec_of(board);
    const bool generic = board.model == BoardModel::generic;
    constexpr auto firmware = virtual_board::DhcpStage::firmware;
    answers.client = generic ? "U-Boot" : spec.profile.name;
    answers.offer = wire.ask(
        generic ? of_u_boot(dhcp::MessageType::discover, spec.mac, nullptr)
                : virtual_board::make_discover(spec, firmware, xid, 0)
    );
    if (!answers.offer || !answers.offer->yiaddr.is_set()) return answers;
    const auto server = answers.offer->options.address(OptionCode::server_identifier);
    answers.ack = wire.ask(
        generic ? of_u_boot(dhcp::MessageType::request, spec.mac, &*answers.offer)
                : virtual_board::make_request(
                      spec,
                      firmware,
                      xid,
                      0,
                      {answers.offer->yiaddr, server.value_or(answers.offer->siaddr)}
                  )
    );
    return answers;
}

}  // namespace bramble::rehearsal
