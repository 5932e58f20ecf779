#include "services/rehearsal/kernel_image.hpp"

namespace bramble::rehearsal {
namespace {

using namespace std::string_view_literals;

// Documentation/arm64/booting.rst: the magic of an Image, "ARM\x64" at offset 56.
constexpr std::string_view arm64_magic = "ARM\x64"sv;
constexpr std::size_t arm64_magic_at = 56;
// arch/arm/boot/compressed/head.S: 0x016f2818 at offset 36, little-endian.
constexpr std::string_view arm_magic = "\x18\x28\x6f\x01"sv;
constexpr std::size_t arm_magic_at = 36;
// init/version.c: linux_banner. The same words with a "%s" behind them are a format, not a banner.
constexpr std::string_view banner = "Linux version "sv;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string release_in(std::string_view bytes) {
    for (auto at = bytes.find(banner); at != std::string_view::npos;
         at = bytes.find(banner, at + 1)) {
        const std::string_view rest = bytes.substr(at + banner.size(), release_bytes_max + 1);
        const auto end = rest.find(' ');
        if (end == std::string_view::npos || end == 0 || !is_digit(rest.front())) continue;
        return std::string(rest.substr(0, end));
    }
    return "";
}

}  // namespace

KernelFacts read_kernel(std::string_view bytes) {
    KernelFacts facts;
    if (bytes.size() < arm64_magic_at + arm64_magic.size()) return facts;
    if (bytes.substr(arm64_magic_at, arm64_magic.size()) == arm64_magic) {
        facts.width = KernelWidth::arm64;
    } else if (bytes.substr(arm_magic_at, arm_magic.size()) == arm_magic) {
        facts.width = KernelWidth::arm;
    }
    if (facts.width != KernelWidth::unknown) facts.release = release_in(bytes);
    return facts;
}

}  // namespace bramble::rehearsal
