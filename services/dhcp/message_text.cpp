#include "services/dhcp/message_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "config/types/text.hpp"
#include "config/types/time_point.hpp"

namespace bramble::dhcp {
namespace {

enum class Form { text, addresses, seconds, number, bytes };

struct Known {
    OptionCode code;
    std::string_view name;
    Form form;
};

constexpr std::array known = {
    Known{OptionCode::subnet_mask, "subnet mask", Form::addresses},
    Known{OptionCode::router, "router", Form::addresses},
    Known{OptionCode::domain_name_server, "domain name server", Form::addresses},
    Known{OptionCode::host_name, "host name", Form::text},
    Known{OptionCode::domain_name, "domain name", Form::text},
    Known{OptionCode::root_path, "root path", Form::text},
    Known{OptionCode::broadcast_address, "broadcast address", Form::addresses},
    Known{OptionCode::vendor_specific, "vendor specific", Form::bytes},
    Known{OptionCode::requested_address, "requested address", Form::addresses},
    Known{OptionCode::lease_time, "lease time", Form::seconds},
    Known{OptionCode::server_identifier, "server identifier", Form::addresses},
    Known{OptionCode::parameter_request_list, "parameter request list", Form::bytes},
    Known{OptionCode::message, "message", Form::text},
    Known{OptionCode::maximum_message_size, "maximum message size", Form::number},
    Known{OptionCode::renewal_time, "renewal time", Form::seconds},
    Known{OptionCode::rebinding_time, "rebinding time", Form::seconds},
    Known{OptionCode::vendor_class, "vendor class", Form::text},
    Known{OptionCode::client_identifier, "client identifier", Form::bytes},
    Known{OptionCode::tftp_server_name, "TFTP server name", Form::text},
    Known{OptionCode::bootfile_name, "boot file name", Form::text},
    Known{OptionCode::user_class, "user class", Form::bytes},
    Known{OptionCode::relay_agent, "relay agent", Form::bytes},
    Known{OptionCode::client_architecture, "client architecture", Form::bytes},
    Known{OptionCode::network_interface, "network interface", Form::bytes},
    Known{OptionCode::machine_identifier, "machine identifier", Form::bytes}};

bool is_shown(std::uint8_t octet) {
    return octet >= 0x20 && octet < 0x7f && octet != '\\';
}

std::string as_text(std::span<const std::byte> value) {
    std::string out = "\"";
    for (const std::byte byte : value) {
        const auto octet = std::to_integer<std::uint8_t>(byte);
        out += is_shown(octet) ? std::string(1, static_cast<char>(octet))
                               : fmt::format("\\x{:02x}", octet);
    }
    return out + "\"";
}

// "06 01 03 …", and behind it the text that a person would find in it.
std::string as_bytes(std::span<const std::byte> value) {
    std::string hex;
    std::string text;
    for (const std::byte byte : value) {
        const auto octet = std::to_integer<std::uint8_t>(byte);
        hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", octet);
        text += is_shown(octet) ? static_cast<char>(octet) : '.';
    }
    const auto letters = std::count_if(text.begin(), text.end(), [](char c) { return c != '.'; });
    return letters >= 4 ? hex + "  |" + text + "|" : hex;
}

std::string as_addresses(std::span<const std::byte> value) {
    if (value.empty() || value.size() % 4 != 0) return as_bytes(value);
    std::string out;
    for (std::size_t at = 0; at < value.size(); at += 4) {
        if (at > 0) out += ", ";
        for (std::size_t i = 0; i < 4; ++i) {
            out += fmt::format("{}{}", i > 0 ? "." : "", std::to_integer<unsigned>(value[at + i]));
        }
    }
    return out;
}

std::uint64_t as_number(std::span<const std::byte> value) {
    std::uint64_t number = 0;
    for (const std::byte byte : value) number = number << 8U | std::to_integer<std::uint64_t>(byte);
    return number;
}

std::string value_of(const Option& option, Form form) {
    switch (form) {
        case Form::text:
            return as_text(option.value);
        case Form::addresses:
            return as_addresses(option.value);
        case Form::seconds:
            if (option.value.size() != 4) break;
            return bramble::describe(std::chrono::seconds(as_number(option.value)));
        case Form::number:
            if (option.value.size() > 4) break;
            return std::to_string(as_number(option.value));
        case Form::bytes:
            break;
    }
    return as_bytes(option.value);
}

}  // namespace

std::vector<NamedValue> describe(const Message& message) {
    std::vector<NamedValue> out;
    const auto add_address = [&](std::string_view name, Ipv4Address address) {
        if (address.is_set()) out.push_back({std::string(name), address.to_string()});
    };
    out.push_back({"message", std::string(to_string(message.type))});
    add_address("ciaddr", message.ciaddr);
    add_address("yiaddr", message.yiaddr);
    add_address("siaddr", message.siaddr);
    add_address("giaddr", message.giaddr);
    out.push_back({"chaddr", message.chaddr.to_string()});
    if (message.broadcast) out.push_back({"flags", "broadcast"});
    const auto text = [](const std::string& from) {
        return as_text(std::as_bytes(std::span(from)));
    };
    if (!message.sname.empty()) out.push_back({"sname", text(message.sname)});
    if (!message.file.empty()) out.push_back({"file", text(message.file)});
    for (const Option& option : message.options.items()) {
        const auto* found = std::find_if(known.begin(), known.end(), [&](const Known& row) {
            return row.code == option.code;
        });
        const bool is_known = found != known.end();
        std::string name = fmt::format("option {}", static_cast<unsigned>(option.code));
        if (is_known) name += fmt::format(" {}", found->name);
        out.push_back({std::move(name), value_of(option, is_known ? found->form : Form::bytes)});
    }
    return out;
}

}  // namespace bramble::dhcp
