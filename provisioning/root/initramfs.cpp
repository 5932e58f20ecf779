#include "provisioning/root/initramfs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "provisioning/root/cpio.hpp"
#include "provisioning/root/kernel_modules.hpp"
#include "provisioning/root/scripts.hpp"

namespace bramble::root {

namespace {

// Without these no NFS root is mounted.
constexpr auto needed = std::to_array<std::string_view>({"nfs", "nfsv3", "nfsv4"});

// Network drivers, of which a kernel must have one. PHY drivers that the device tree asks for are
// bound when the network driver probes, so they load before it.
constexpr auto network = std::to_array<std::string_view>({
    "virtio_mmio",
    "virtio_pci",
    "virtio_net",  // QEMU
    "broadcom",
    "bcm7xxx",
    "mdio_bcm_unimac",
    "genet",  // Pi 4, 400, CM4: BCM54213PE behind GENET
    "smsc",
    "microchip",
    "dwc2",
    "smsc95xx",
    "lan78xx",  // Pi 3: Ethernet behind USB
    "macb",     // Pi 5: behind RP1
    "xhci_pci",
    "r8152",
    "ax88179_178a",  // USB adapters
    "e1000e",        // what other emulators show
});

// What makes an early userspace pleasant where the kernel has it.
constexpr auto wanted = std::to_array<std::string_view>({
    "reset_raspberrypi",  // firmware of the USB controller, Pi 4 with a VL805
    "overlay",            // shared roots
});

template <std::size_t N>
bool has_any(const KernelModules& modules, const std::array<std::string_view, N>& names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return modules.has_module(name) || modules.has_builtin(name);
    });
}

std::uint64_t little_endian(std::string_view bytes, std::size_t offset, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;)
        value = value << 8U | static_cast<std::uint8_t>(bytes[offset + i]);
    return value;
}

Result<KernelModules> read_modules(
    host::Host& host, const host::Path& root, const std::string& release
) {
    const host::Path directory = host::Path("lib/modules") / release;
    const auto dep = host.read_file_in(root, directory / "modules.dep");
    if (!dep)
        return fail(fmt::format(
            "{} (is the kernel's package, such as linux-image-arm64, in the image, and was depmod "
            "run for {}?)",
            dep.error().message,
            release
        ));
    const auto builtin = host.read_file_in(root, directory / "modules.builtin");
    return KernelModules::parse(*dep, builtin ? *builtin : std::string());
}

Result<std::string> read_busybox(host::Host& host, const host::Path& root) {
    for (const char* place : {"bin/busybox", "usr/bin/busybox", "sbin/busybox"}) {
        auto bytes = host.read_file_in(root, place);
        if (bytes && is_static_program(*bytes)) return bytes;
    }
    return fail(fmt::format(
        "{} has no statically linked busybox: add the package busybox-static to the image",
        root.string()
    ));
}

CpioEntry directory(std::string path, std::uint32_t mode = 0755) {
    return {CpioEntry::Kind::directory, std::move(path), mode, {}, 0, 0};
}

CpioEntry file(std::string path, std::string_view content, std::uint32_t mode = 0755) {
    return {CpioEntry::Kind::file, std::move(path), mode, std::string(content), 0, 0};
}

// /init with its scripts, and the places that it mounts things at.
std::vector<CpioEntry> skeleton(std::string busybox) {
    std::vector<CpioEntry> entries;
    for (const char* path : {"bin", "dev", "etc", "modules", "proc", "root", "run", "sys"})
        entries.push_back(directory(path));
    // The kernel opens /dev/console for the first process before that can mount anything.
    entries.push_back({CpioEntry::Kind::character_device, "dev/console", 0600, {}, 5, 1});
    entries.push_back(file("bin/busybox", busybox));
    entries.push_back(file("init", init_script));
    entries.push_back(file("etc/udhcpc.script", udhcpc_script));
    return entries;
}

Result<KernelModules::Selection> select_modules(
    const KernelModules& modules, const std::string& release
) {
    for (const std::string_view name : needed)
        if (!modules.has_module(name) && !modules.has_builtin(name))
            return fail(fmt::format(
                "kernel {} has no {}: build it with CONFIG_NFS_FS, CONFIG_NFS_V3 and CONFIG_NFS_V4",
                release,
                name
            ));
    if (!has_any(modules, network))
        return fail(fmt::format(
            "kernel {} has none of the network drivers {}", release, fmt::join(network, ", ")
        ));
    std::vector<std::string_view> names(network.begin(), network.end());
    names.insert(names.end(), needed.begin(), needed.end());
    names.insert(names.end(), wanted.begin(), wanted.end());
    return modules.select(names);
}

}  // namespace

bool is_static_program(std::string_view bytes) {
    using namespace std::string_view_literals;
    constexpr std::uint64_t program_header_interp = 3;  // PT_INTERP: wants a dynamic loader
    if (bytes.size() < 64 ||
        !bytes.starts_with("\x7f"
                           "ELF"sv) ||
        bytes[5] != 1)
        return false;
    const bool wide = bytes[4] == 2;
    const std::uint64_t table = little_endian(bytes, wide ? 32 : 28, wide ? 8 : 4);
    const std::uint64_t size = little_endian(bytes, wide ? 54 : 42, 2);
    const std::uint64_t count = little_endian(bytes, wide ? 56 : 44, 2);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t at = table + i * size;
        if (at > bytes.size() || bytes.size() - at < 4) return false;
        if (little_endian(bytes, at, 4) == program_header_interp) return false;
    }
    return count > 0;
}

Result<Initramfs> build_initramfs(
    host::Host& host, const host::Path& root, const std::string& kernel_release
) {
    const auto modules = read_modules(host, root, kernel_release);
    if (!modules) return tl::unexpected(modules.error());
    auto selection = select_modules(*modules, kernel_release);
    if (!selection) return tl::unexpected(selection.error());
    auto busybox = read_busybox(host, root);
    if (!busybox) return tl::unexpected(busybox.error());

    std::vector<CpioEntry> entries = skeleton(std::move(*busybox));
    std::string order;
    for (const std::string& path : selection->load_order) {
        const auto packed =
            host.read_file_in(root, host::Path("lib/modules") / kernel_release / path);
        if (!packed) return tl::unexpected(packed.error());
        auto plain = decompress(*packed);
        if (!plain) return fail(fmt::format("{}: {}", path, plain.error().message));
        const std::string name = module_name(path) + ".ko";
        order += name + '\n';
        entries.push_back(file("modules/" + name, *plain, 0644));
    }
    entries.push_back(file("modules/order", order, 0644));

    auto archive = write_cpio_gzip(std::move(entries));
    if (!archive) return tl::unexpected(archive.error());
    return Initramfs{
        std::move(*archive), std::move(selection->load_order), std::move(selection->absent)};
}

}  // namespace bramble::root
