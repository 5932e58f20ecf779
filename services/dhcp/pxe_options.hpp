// Option 43 inside the PXE vendor class: discovery control, boot menu, menu prompt (PXE 2.1 §2.2.3,
// fact sheet 1.5). It refuses to know which client is asking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bramble::dhcp {

struct BootMenuEntry {
    std::uint16_t type = 0;  // 0: boot from local means, which firmware reads as "this server"
    std::string text;        // at most 255 octets

    friend bool operator==(const BootMenuEntry&, const BootMenuEntry&) = default;
};

struct PxeOptions {
    std::optional<std::uint8_t> discovery_control;  // sub-option 6
    std::optional<std::string> prompt;              // sub-option 10, after its timeout octet
    std::uint8_t prompt_timeout_s = 0;
    std::vector<BootMenuEntry> menu;  // sub-option 9

    friend bool operator==(const PxeOptions&, const PxeOptions&) = default;
};

// Text that Raspberry Pi firmware looks for in a boot menu (PXE_OPTION43's default).
inline constexpr std::string_view raspberry_pi_boot = "Raspberry Pi Boot";
// The Pi 3B boot ROM has a text-length bug that three trailing spaces get around; harmless
// elsewhere.
inline constexpr std::string_view raspberry_pi_boot_pi3 = "Raspberry Pi Boot   ";

// The known-good encoding, sub-options 6, 10, 9, 255 in that order.
std::vector<std::byte> emit_pxe_options(const PxeOptions& options);

// Nothing: a sub-option that ends after the value. Unknown sub-options are skipped; a missing 255
// is forgiven, as Raspberry Pi firmware forgives it.
std::optional<PxeOptions> parse_pxe_options(std::span<const std::byte> value);

// The bytes that Raspberry Pi firmware is sent: discovery control 3, prompt "PXE", one menu entry.
std::vector<std::byte> raspberry_pi_vendor_options(std::string_view menu_text);

}  // namespace bramble::dhcp
