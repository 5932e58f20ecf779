#include "provisioning/boot/pxelinux.hpp"

#include <fmt/format.h>

#include <array>

namespace bramble::boot {
namespace {

struct Pair {
    std::string_view kernel;
    std::array<std::string_view, 2> initrds;
};

constexpr std::array<Pair, 4> known = {
    {{"vmlinuz", {"initrd.img", "initrd"}},
     {"Image", {"initrd.img", "initrd"}},
     {"linux", {"initrd.gz", "initrd.img"}},
     {"kernel8.img", {"initramfs8", "initrd.img"}}}};

}  // namespace

std::optional<KernelFiles> find_kernel(const layout::BootTree& tree) {
    const auto has = [&](std::string_view name) { return tree.find(name) != tree.end(); };
    for (const Pair& pair : known) {
        if (!has(pair.kernel)) continue;
        for (const std::string_view initrd : pair.initrds) {
            if (has(initrd)) return KernelFiles{std::string(pair.kernel), std::string(initrd)};
        }
        return KernelFiles{std::string(pair.kernel), ""};
    }
    constexpr std::string_view prefix = "vmlinuz-";
    std::optional<KernelFiles> found;
    for (const auto& [path, file] : tree) {
        if (path.compare(0, prefix.size(), prefix) != 0) continue;
        const std::string initrd = "initrd.img-" + path.substr(prefix.size());
        found = KernelFiles{path, has(initrd) ? initrd : ""};
    }
    return found;
}

std::string make_pxelinux(
    const std::string& owner, const KernelFiles& files, std::string_view cmdline
) {
    while (!cmdline.empty() && cmdline.back() == '\n') cmdline.remove_suffix(1);
    std::string text = fmt::format(
        "# Written by Bramble for {}: change the fleet file, not this.\n"
        "DEFAULT bramble\n"
        "PROMPT 0\n"
        "LABEL bramble\n"
        "    KERNEL {}\n",
        owner,
        files.kernel
    );
    if (!files.initrd.empty()) text += fmt::format("    INITRD {}\n", files.initrd);
    return text + fmt::format("    APPEND {}\n", cmdline);
}

}  // namespace bramble::boot
