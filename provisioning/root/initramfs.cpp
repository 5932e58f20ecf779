#include "provisioning/root/initramfs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>

#include "provisioning/root/cpio.hpp"
#include "provisioning/root/elf_program.hpp"
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

// A busybox needs two or three.
constexpr std::size_t libraries_max = 16;

template <std::size_t N>
bool has_any(const KernelModules& modules, const std::array<std::string_view, N>& names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return modules.has_module(name) || modules.has_builtin(name);
    });
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

CpioEntry directory(std::string path, std::uint32_t mode = 0755) {
    return {CpioEntry::Kind::directory, std::move(path), mode, {}, 0, 0};
}

CpioEntry file(std::string path, std::string_view content, std::uint32_t mode = 0755) {
    return {CpioEntry::Kind::file, std::move(path), mode, std::string(content), 0, 0};
}

// Where the loader of a Debian root looks, the directories of its architectures first.
Result<std::vector<host::Path>> library_directories(host::Host& host, const host::Path& root) {
    std::vector<host::Path> directories;
    const auto there = host.list_in(root, "usr/lib");
    for (const host::DirectoryEntry& entry : there ? *there : std::vector<host::DirectoryEntry>{}) {
        if (entry.name.find("-linux-gnu") == std::string::npos) continue;
        directories.push_back(host::Path("usr/lib") / entry.name);
    }
    for (const char* usual : {"lib", "usr/lib"}) directories.emplace_back(usual);
    return directories;
}

// The libraries that `first` needs and those that they need, as entries of lib/, where every loader
// looks.
Result<std::vector<CpioEntry>> collect_libraries(
    host::Host& host, const host::Path& root, const ElfProgram& first
) {
    const auto directories = library_directories(host, root);
    if (!directories) return tl::unexpected(directories.error());
    std::vector<CpioEntry> entries;
    std::vector<std::string> names = first.needed;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names.size() > libraries_max || names[i].find('/') != std::string::npos) {
            return fail("it needs more libraries than an initramfs should hold");
        }
        std::optional<std::string> bytes;
        for (const host::Path& directory : *directories) {
            auto read = host.read_file_in(root, directory / names[i]);
            if (!read) continue;
            bytes = std::move(*read);
            break;
        }
        if (!bytes) return fail(fmt::format("its library {} is not in the image", names[i]));
        const auto library = read_elf(*bytes);
        if (!library) return fail(fmt::format("{}: {}", names[i], library.error().message));
        for (const std::string& more : library->needed) {
            if (std::find(names.begin(), names.end(), more) == names.end()) names.push_back(more);
        }
        entries.push_back(file("lib/" + names[i], *bytes));
    }
    return entries;
}

// busybox and all that it takes to run it: nothing more for a static one.
Result<std::vector<CpioEntry>> pack_busybox(host::Host& host, const host::Path& root) {
    for (const char* place : {"bin/busybox", "usr/bin/busybox", "sbin/busybox"}) {
        auto bytes = host.read_file_in(root, place);
        if (!bytes) continue;
        const auto program = read_elf(*bytes);
        if (!program) {
            return fail(fmt::format(
                "/{}: {}; add the package busybox-static to the image",
                place,
                program.error().message
            ));
        }
        std::vector<CpioEntry> entries{file("bin/busybox", *bytes)};
        if (program->interpreter.empty()) return entries;
        auto libraries = collect_libraries(host, root, *program);
        if (!libraries) {
            return fail(fmt::format(
                "/{}: {}; or add the package busybox-static to the image",
                place,
                libraries.error().message
            ));
        }
        const host::Path loader = host::Path(program->interpreter).relative_path();
        const auto loader_bytes = host.read_file_in(root, loader);
        if (!loader_bytes) return tl::unexpected(loader_bytes.error());
        const std::string at = loader.lexically_normal().string();
        if (at.starts_with("lib64/")) entries.push_back(directory("lib64"));
        entries.push_back(directory("lib"));
        std::erase_if(*libraries, [&](const CpioEntry& entry) { return entry.path == at; });
        entries.push_back(file(at, *loader_bytes));
        std::move(libraries->begin(), libraries->end(), std::back_inserter(entries));
        return entries;
    }
    return fail(
        fmt::format("{} has no busybox: add the package busybox-static to the image", root.string())
    );
}

// /init with its scripts, and the places that it mounts things at.
std::vector<CpioEntry> skeleton() {
    std::vector<CpioEntry> entries;
    for (const char* path : {"bin", "dev", "etc", "modules", "proc", "root", "run", "sys"})
        entries.push_back(directory(path));
    // The kernel opens /dev/console for the first process before that can mount anything.
    entries.push_back({CpioEntry::Kind::character_device, "dev/console", 0600, {}, 5, 1});
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

Digest initramfs_recipe() {
    return Digest::of(fmt::format(
        "{}\n{}\n{}\n{}\n{}",
        init_script,
        udhcpc_script,
        fmt::join(needed, " "),
        fmt::join(network, " "),
        fmt::join(wanted, " ")
    ));
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
    std::vector<CpioEntry> entries = skeleton();
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
    auto busybox = pack_busybox(host, root);
    if (!busybox) return tl::unexpected(busybox.error());
    std::move(busybox->begin(), busybox->end(), std::back_inserter(entries));
    auto archive = write_cpio_gzip(std::move(entries));
    if (!archive) return tl::unexpected(archive.error());
    result.archive = std::move(*archive);
    return result;
}

}  // namespace bramble::root
