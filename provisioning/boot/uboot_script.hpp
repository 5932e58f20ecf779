// A U-Boot script as the image that U-Boot loads and checks before it runs it (its "legacy"
// format). It refuses to know what the script says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bramble::boot {

// Which processor the image is marked for: U-Boot's IH_ARCH numbers.
enum class ScriptArch : std::uint8_t { arm = 2, arm64 = 22 };

// The header of 64 bytes (magic, CRC-32 of header and data, sizes, type "script", name), then the
// script with its length before it. U-Boot with no hands asks for it as boot.scr.uimg.
// Deterministic: its time stamp is zero.
std::string uboot_script(std::string_view script, ScriptArch arch);

// What generic boards run: pxelinux.cfg/… from the server, which says kernel, initramfs and command
// line.
inline constexpr std::string_view pxe_script = "if pxe get; then pxe boot; fi\n";

}  // namespace bramble::boot
