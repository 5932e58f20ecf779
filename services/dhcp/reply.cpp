#include "services/dhcp/reply.hpp"

#include <algorithm>
#include <array>

#include "services/dhcp/pxe_options.hpp"

namespace bramble::dhcp {
namespace {

constexpr std::size_t ip_and_udp_headers = 28;
constexpr std::size_t file_field_max = 127;
constexpr std::uint8_t bypass_discovery = 8;  // PXE 2.1 §2.2.3, sub-option 6, bit 3

// What a client without a parameter request list (option 55) is told, in this order.
constexpr std::array default_parameters = {
    OptionCode::subnet_mask,
    OptionCode::router,
    OptionCode::domain_name_server,
    OptionCode::host_name,
    OptionCode::domain_name,
    OptionCode::root_path,
    OptionCode::vendor_specific,
    OptionCode::vendor_class,
    OptionCode::tftp_server_name,
    OptionCode::bootfile_name,
};

std::size_t size_limit(const Message& request) {
    const auto asked = request.options.u16(OptionCode::maximum_message_size);
    // RFC 2132 §9.10: 576 is the least legal value. A larger one is no reason to send more: what
    // fits 548 octets reaches every client unfragmented.
    constexpr std::size_t least = reply_bytes_max + ip_and_udp_headers;
    return asked ? std::min(
                       reply_bytes_max, std::max<std::size_t>(least, *asked) - ip_and_udp_headers
                   )
                 : reply_bytes_max;
}

std::uint32_t seconds(Duration duration) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(duration).count()
    );
}

void add_text(Options& options, OptionCode code, const std::string& text) {
    if (!text.empty()) options.set_text(code, text);
}

// Everything that could be told, whether asked for or not.
Options offerable(const ReplyFacts& facts) {
    Options out;
    if (!facts.configuration) return out;
    out.set_address(OptionCode::subnet_mask, facts.network.mask());
    out.set_address(OptionCode::broadcast_address, facts.network.broadcast());
    if (facts.router) out.set_address(OptionCode::router, *facts.router);
    if (!facts.dns.empty()) out.set_addresses(OptionCode::domain_name_server, facts.dns);
    add_text(out, OptionCode::host_name, facts.host_name);
    add_text(out, OptionCode::domain_name, facts.domain);
    add_text(out, OptionCode::root_path, facts.root_path);
    return out;
}

struct BootOptions {
    Options always;  // sent whether asked for or not
    Options asked;   // sent if asked for
};

BootOptions boot_options(const Message& request, const ReplyFacts& facts) {
    BootOptions out;
    const std::string server = facts.network.address().to_string();
    if (const auto* pi = std::get_if<PiBoot>(&facts.boot)) {
        out.always.set(OptionCode::vendor_specific, raspberry_pi_vendor_options(pi->menu_text));
        out.always.set_text(OptionCode::vendor_class, "PXEClient");  // no NUL
        // A dotted quad in ASCII: firmware resolves no names and refuses four binary octets.
        out.always.set_text(OptionCode::tftp_server_name, server);
        if (!pi->machine_option.empty()) {
            out.always.set(OptionCode::machine_identifier, pi->machine_option);
        }
    } else if (const auto* file = std::get_if<FileBoot>(&facts.boot)) {
        if (!file->bootfile.empty()) {
            out.asked.set_text(OptionCode::tftp_server_name, server);
            // In `file` as well where it fits there; firmware reads the one or the other.
            const bool fits = file->bootfile.size() <= file_field_max;
            (fits ? out.asked : out.always).set_text(OptionCode::bootfile_name, file->bootfile);
        }
        if (!file->vendor_class.empty()) {
            out.always.set_text(OptionCode::vendor_class, file->vendor_class);
            if (!file->bootfile.empty()) {  // PXE and HTTP firmware read options first
                out.always.set_text(OptionCode::bootfile_name, file->bootfile);
            }
        }
        if (file->skip_discovery) {
            PxeOptions options;
            options.discovery_control = bypass_discovery;
            out.always.set(OptionCode::vendor_specific, emit_pxe_options(options));
        }
        // RFC 4578 §2.3: in all packets of PXE clients and servers.
        if (const auto machine = request.options.find(OptionCode::machine_identifier)) {
            out.always.set(OptionCode::machine_identifier, *machine);
        }
    }
    return out;
}

// The order in which parameters are considered: the client's own (RFC 2132 §9.8), but the subnet
// mask before the router (RFC 2132 §3.3), and it is sent to everyone.
std::vector<OptionCode> parameter_order(const Message& request) {
    std::vector<OptionCode> order = {OptionCode::subnet_mask};
    const auto list = request.options.find(OptionCode::parameter_request_list);
    if (!list) {
        order.insert(order.end(), default_parameters.begin(), default_parameters.end());
        return order;
    }
    for (const std::byte code : *list) order.push_back(static_cast<OptionCode>(code));
    return order;
}

// Adds options while they and those still owed fit.
class Packer {
public:
    Packer(Message& message, std::size_t limit) : message_(message), limit_(limit) {}

    bool add(OptionCode code, std::span<const std::byte> value, std::size_t owed) {
        if (message_.options.has(code)) return true;
        if (wire_size(message_) + option_wire_size(value.size()) + owed > limit_) return false;
        message_.options.set(code, value);
        return true;
    }

private:
    Message& message_;
    std::size_t limit_;
};

// Octets that the options of `all` still need, without the one being added.
std::size_t owed_size(const Options& all, const Options& already, OptionCode adding) {
    std::size_t size = 0;
    for (const Option& option : all.items()) {
        if (option.code == adding || already.has(option.code)) continue;
        size += option_wire_size(option.value.size());
    }
    return size;
}

Message reply_header(const Message& request, const ReplyFacts& facts) {
    Message reply;
    reply.op = Operation::reply;
    reply.type = facts.type;
    reply.xid = request.xid;
    reply.giaddr = request.giaddr;
    reply.chaddr = request.chaddr;
    reply.ciaddr = facts.ciaddr;
    reply.yiaddr = facts.yiaddr;
    // RFC 2131 §4.3.2: the relay must broadcast a DHCPNAK, its client may have no valid address.
    const bool relayed_nak = facts.type == MessageType::nak && request.giaddr.is_set();
    reply.broadcast = request.broadcast || relayed_nak;
    if (facts.tftp_server) reply.siaddr = facts.network.address();
    const auto* file = std::get_if<FileBoot>(&facts.boot);
    if (file != nullptr && file->bootfile.size() <= file_field_max) reply.file = file->bootfile;
    return reply;
}

}  // namespace

BuiltReply build_reply(const Message& request, const ReplyFacts& facts) {
    BuiltReply built{reply_header(request, facts), 0};
    Message& reply = built.message;
    Packer packer(reply, size_limit(request));

    reply.options.set_address(OptionCode::server_identifier, facts.network.address());
    if (facts.lease) {
        const std::uint32_t lease_s = seconds(*facts.lease);
        reply.options.set_u32(OptionCode::lease_time, lease_s);
        reply.options.set_u32(OptionCode::renewal_time, lease_s / 2);  // RFC 2131 §4.4.5
        reply.options.set_u32(
            OptionCode::rebinding_time, static_cast<std::uint32_t>(std::uint64_t{lease_s} * 7 / 8)
        );
    }
    const Options configuration = offerable(facts);
    const BootOptions boot = boot_options(request, facts);

    // What must be in goes in whatever else there is: boot data, the client identifier (RFC 6842)
    // and, last of all, the relay's own words (RFC 3046 §2.1).
    Options last;
    if (const auto id = request.options.find(OptionCode::client_identifier)) {
        last.set(OptionCode::client_identifier, *id);
    }
    if (const auto relay = request.options.find(OptionCode::relay_agent)) {
        last.set(OptionCode::relay_agent, *relay);
    }
    add_text(reply.options, OptionCode::message, facts.message);
    for (const OptionCode code : parameter_order(request)) {
        auto value = boot.always.find(code);
        if (!value) value = boot.asked.find(code);
        if (!value) value = configuration.find(code);
        const std::size_t owed = owed_size(boot.always, reply.options, code) + last.wire_size();
        if (value && !packer.add(code, *value, owed)) ++built.options_left_out;
    }
    for (const Option& option : boot.always.items()) {
        const std::size_t owed = last.wire_size();
        if (!packer.add(option.code, option.value, owed)) ++built.options_left_out;
    }
    for (const Option& option : last.items()) {
        const std::size_t owed = owed_size(last, reply.options, option.code);
        if (!packer.add(option.code, option.value, owed)) ++built.options_left_out;
    }
    return built;
}

}  // namespace bramble::dhcp
