#include "services/dhcp/recognition.hpp"

namespace bramble::dhcp {
namespace {

constexpr std::uint16_t first_uefi_architecture = 6;  // RFC 4578 §2.1: 0 to 5 are older

bool is_ipxe(const Options& options) {
    // iPXE tells itself by its own encapsulated options or by its user class, which other programs
    // send with a length octet in front (RFC 3004).
    const std::string_view user_class = options.text(OptionCode::user_class);
    return options.has(OptionCode::etherboot) || user_class == "iPXE" || user_class == "\x04iPXE";
}

}  // namespace

std::string_view to_string(ClientKind kind) {
    switch (kind) {
        case ClientKind::plain:
            return "plain";
        case ClientKind::pi_firmware:
            return "pi-firmware";
        case ClientKind::u_boot:
            return "u-boot";
        case ClientKind::pxe:
            return "pxe";
        case ClientKind::ipxe:
            return "ipxe";
        case ClientKind::http_boot:
            return "http-boot";
    }
    return "";
}

Recognition recognise(const Message& message) {
    const Options& options = message.options;
    Recognition out;
    out.raspberry_pi_oui = message.chaddr.is_raspberry_pi_oui();
    const auto architecture = options.u16(OptionCode::client_architecture);
    out.uefi = architecture && *architecture >= first_uefi_architecture;

    const std::string_view vendor_class = options.text(OptionCode::vendor_class);
    if (is_ipxe(options)) {  // also on a Pi: it is no longer the Pi's own firmware that asks
        out.kind = ClientKind::ipxe;
        return out;
    }
    if (const auto value = options.find(OptionCode::machine_identifier)) {
        out.machine = parse_machine_id(*value, message.chaddr);
    }
    if (out.machine) {
        out.kind = ClientKind::pi_firmware;
        return out;
    }
    if (vendor_class.starts_with("PXEClient")) {
        out.kind = ClientKind::pxe;
    } else if (vendor_class.starts_with("HTTPClient")) {
        out.kind = ClientKind::http_boot;
    } else if (vendor_class.starts_with("U-Boot")) {
        out.kind = ClientKind::u_boot;
    }
    return out;
}

}  // namespace bramble::dhcp
