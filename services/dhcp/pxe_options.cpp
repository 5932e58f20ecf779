#include "services/dhcp/pxe_options.hpp"

#include <algorithm>

#include "services/bytes/byte_reader.hpp"

namespace bramble::dhcp {
namespace {

constexpr std::uint8_t sub_discovery_control = 6;
constexpr std::uint8_t sub_boot_menu = 9;
constexpr std::uint8_t sub_menu_prompt = 10;
constexpr std::uint8_t sub_end = 255;
constexpr std::size_t sub_value_max = 255;

void append(std::vector<std::byte>& out, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_sub_option(
    std::vector<std::byte>& out, std::uint8_t code, std::span<const std::byte> value
) {
    const auto fitting = value.first(std::min(value.size(), sub_value_max));
    out.push_back(std::byte{code});
    out.push_back(static_cast<std::byte>(fitting.size()));
    out.insert(out.end(), fitting.begin(), fitting.end());
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool parse_menu(std::span<const std::byte> value, std::vector<BootMenuEntry>& menu) {
    ByteReader reader(value);
    while (!reader.at_end()) {
        const auto type = reader.u16();
        const auto length = reader.u8();
        const auto text = length ? reader.take(*length) : std::nullopt;
        if (!type || !text) return false;
        menu.push_back({*type, text_of(*text)});
    }
    return true;
}

bool parse_sub_option(std::uint8_t code, std::span<const std::byte> value, PxeOptions& out) {
    ByteReader reader(value);
    switch (code) {
        case sub_discovery_control:
            out.discovery_control = reader.u8();
            return out.discovery_control.has_value();
        case sub_boot_menu:
            return parse_menu(value, out.menu);
        case sub_menu_prompt: {
            const auto timeout = reader.u8();
            if (!timeout) return false;
            out.prompt_timeout_s = *timeout;
            out.prompt = text_of(*reader.take(reader.remaining()));
            return true;
        }
        default:
            return true;
    }
}

}  // namespace

std::vector<std::byte> emit_pxe_options(const PxeOptions& options) {
    std::vector<std::byte> out;
    if (options.discovery_control) {
        const std::byte value{*options.discovery_control};
        append_sub_option(out, sub_discovery_control, {&value, 1});
    }
    if (options.prompt) {
        std::vector<std::byte> value = {std::byte{options.prompt_timeout_s}};
        append(value, *options.prompt);
        append_sub_option(out, sub_menu_prompt, value);
    }
    if (!options.menu.empty()) {
        std::vector<std::byte> value;
        for (const BootMenuEntry& entry : options.menu) {
            const std::string_view text = std::string_view(entry.text).substr(0, sub_value_max);
            value.push_back(static_cast<std::byte>(entry.type >> 8U));
            value.push_back(static_cast<std::byte>(entry.type));
            value.push_back(static_cast<std::byte>(text.size()));
            append(value, text);
        }
        append_sub_option(out, sub_boot_menu, value);
    }
    out.push_back(std::byte{sub_end});
    return out;
}

std::optional<PxeOptions> parse_pxe_options(std::span<const std::byte> value) {
    PxeOptions out;
    ByteReader reader(value);
    while (!reader.at_end()) {
        const std::uint8_t code = *reader.u8();
        if (code == sub_end) break;
        if (code == 0) continue;  // padding
        const auto length = reader.u8();
        const auto bytes = length ? reader.take(*length) : std::nullopt;
        if (!bytes || !parse_sub_option(code, *bytes, out)) return std::nullopt;
    }
    return out;
}

std::vector<std::byte> raspberry_pi_vendor_options(std::string_view menu_text) {
    PxeOptions options;
    options.discovery_control = 3;  // neither broadcast nor multicast discovery
    options.prompt = "PXE";
    options.menu.push_back({0, std::string(menu_text)});
    return emit_pxe_options(options);
}

}  // namespace bramble::dhcp
