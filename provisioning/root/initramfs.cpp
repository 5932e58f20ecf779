#include "provisioning/root/initramfs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
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

// modules/RELEASE/NAME.ko for each, and modules/RELEASE/order.
Result<std::vector<CpioEntry>> pack_modules(
    host::Host& host,
    const host::Path& root,
    const std::string& release,
    const std::vector<std::string>& load_order
) {
    const std::string folder = "modules/" + release;
    std::vector<CpioEntry> entries{directory(folder)};
    std::string order;
    for (const std::string& path : load_order) {
        const auto packed = host.read_file_in(root, host::Path("lib/modules") / release / path);
        if (!packed) return tl::unexpected(packed.error());
        auto plain = decompress(*packed);
        if (!plain) return fail(fmt::format("{}: {}", path, plain.error().message));
        const std::string name = module_name(path) + ".ko";
        order += name + '\n';
        entries.push_back(file(fmt::format("{}/{}", folder, name), *plain, 0644));
    }
    entries.push_back(file(folder + "/order", order, 0644));
    return entries;
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

Result<std::vector<std::string>> kernel_releases(host::Host& host, const host::Path& root) {
    const auto there = host.list_in(root, "lib/modules");
    std::vector<std::string> releases;
    for (const host::DirectoryEntry& entry : there ? *there : std::vector<host::DirectoryEntry>{}) {
        const auto dep =
            host.status_in(root, host::Path("lib/modules") / entry.name / "modules.dep");
        if (!dep) return tl::unexpected(dep.error());
        if (*dep) releases.push_back(entry.name);
    }
    if (!releases.empty()) return releases;
    return fail("the image has no kernel modules (lib/modules/RELEASE, after depmod)");
}

Result<Initramfs> build_initramfs(
    host::Host& host, const host::Path& root, std::span<const std::string> kernel_releases
) {
    Initramfs result;
    std::vector<CpioEntry> entries;
    for (const std::string& release : kernel_releases) {
        const auto modules = read_modules(host, root, release);
        if (!modules) return tl::unexpected(modules.error());
        auto selection = select_modules(*modules, release);
        if (!selection) {
            result.left_out.push_back(selection.error().message);
            continue;
        }
        auto packed = pack_modules(host, root, release, selection->load_order);
        if (!packed) return tl::unexpected(packed.error());
        std::move(packed->begin(), packed->end(), std::back_inserter(entries));
        result.releases.push_back(release);
        result.absent.insert(
            result.absent.end(), selection->absent.begin(), selection->absent.end()
        );
    }
    if (result.releases.empty()) return fail(fmt::format("{}", fmt::join(result.left_out, "; ")));
    auto busybox = read_busybox(host, root);
    if (!busybox) return tl::unexpected(busybox.error());
    auto others = skeleton(std::move(*busybox));
    std::move(others.begin(), others.end(), std::back_inserter(entries));
    auto archive = write_cpio_gzip(std::move(entries));
    if (!archive) return tl::unexpected(archive.error());
    result.archive = std::move(*archive);
    return result;
}

}  // namespace bramble::root
