#include "provisioning/plan/bases.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "provisioning/root/scripts.hpp"

namespace bramble::plan {
namespace {

// Raised when the steps that lay a kernel over an image make something else of the same two.
constexpr int recipe = 1;

// Of images, for their own kernels.
constexpr std::array<std::string_view, 8> initramfs_files = {
    "initrd.img",
    "initrd",
    "initrd.gz",
    "initramfs8",
    "initramfs7l",
    "initramfs7",
    "initramfs",
    "initramfs_2712"};

// Names by which loaders without Raspberry Pi firmware find a kernel before they find ours.
constexpr std::array<std::string_view, 2> other_kernel_files = {"Image", "linux"};

std::string file_name_of(const fleet::Kernel& kernel) {
    if (!kernel.file.empty()) return kernel.file;
    return kernel.arch == fleet::KernelArch::arm ? "kernel7l.img" : "kernel8.img";
}

bool begins_key(std::string_view line, std::string_view key) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == line.npos) return false;
    line.remove_prefix(begin);
    return line.starts_with(key) && line.size() > key.size() &&
           (line[key.size()] == '=' || line[key.size()] == ' ');
}

// The image's lines without those that name a kernel or an initramfs, then ours. What the fleet
// file says comes behind them and wins.
std::string config_txt_for(
    std::string_view image, const fleet::Kernel& kernel, bool has_initramfs
) {
    std::string text;
    while (!image.empty()) {
        const std::size_t end = std::min(image.find('\n'), image.size());
        const std::string_view line = image.substr(0, end);
        image.remove_prefix(std::min(end + 1, image.size()));
        const bool about_kernel = begins_key(line, "auto_initramfs") ||
                                  begins_key(line, "initramfs") || begins_key(line, "kernel") ||
                                  begins_key(line, "arm_64bit");
        if (!about_kernel) text += fmt::format("{}\n", line);
    }
    if (!text.empty()) text += "[all]\n";
    text += fmt::format(
        "arm_64bit={}\nkernel={}\n",
        kernel.arch == fleet::KernelArch::arm ? 0 : 1,
        file_name_of(kernel)
    );
    if (has_initramfs) text += "initramfs initrd.img followkernel\n";
    return text;
}

}  // namespace

std::optional<Base> base_of(
    const fleet::Fleet& fleet, const Observed& observed, const fleet::Profile& profile
) {
    Base base{{}, profile.image, profile.kernel.value_or("")};
    if (!profile.image.empty()) {
        const auto source = observed.sources.find(profile.image);
        if (source == observed.sources.end()) return std::nullopt;
        base.key = source->second;
    }
    if (!profile.kernel) return profile.image.empty() ? std::nullopt : std::optional(base);
    const auto key = observed.kernels.find(*profile.kernel);
    const fleet::Kernel* kernel = fleet.find_kernel(*profile.kernel);
    if (key == observed.kernels.end() || kernel == nullptr) return std::nullopt;
    base.key = Digest::of(fmt::format(
        "base {}\n{}\n{}\n{}\n{}{}",
        recipe,
        profile.image.empty() ? "-" : base.key.to_string(),
        key->second.to_string(),
        file_name_of(*kernel),
        root::init_script,
        root::udhcpc_script
    ));
    return base;
}

std::vector<boot::Finding> lint_kernel(const KernelRecord& kernel, const std::string& nfs_version) {
    if (nfs_version.empty() || kernel.nfs_versions.contains(nfs_version)) return {};
    const std::string option = nfs_version == "3"   ? "NFS_V3"
                               : nfs_version == "4" ? "NFS_V4"
                                                    : "NFS_V4_" + nfs_version.substr(2);
    return {
        {true,
         "kernel-nfs-version",
         fmt::format(
             "its root is asked for with NFS version {}, and kernel '{}' ({}) knows {}",
             nfs_version,
             kernel.name,
             kernel.release,
             kernel.nfs_versions.empty()
                 ? std::string("no NFS")
                 : fmt::format("only {}", fmt::join(kernel.nfs_versions, ", "))
         ),
         fmt::format(
             "set root: {{nfs_version: …}} to one that it knows, or give the kernel options: {{{}: "
             "y}} or presets: [nfsroot]",
             option
         )}};
}

ImageRecord with_kernel(
    const Digest& key,
    const ImageRecord& image,
    const fleet::Kernel& kernel,
    const KernelRecord& built,
    const std::optional<layout::ObjectFile>& initramfs
) {
    ImageRecord record = image;
    record.key = key;
    record.kernel_release = built.release;
    record.initramfs_mounts_nfs4 = true;  // ours, or the kernel itself
    for (const std::string_view name : initramfs_files) record.files.erase(std::string(name));
    for (const std::string_view name : other_kernel_files) record.files.erase(std::string(name));
    for (const auto& [path, file] : built.files) {
        if (path != "kernel") record.files[path] = file;
    }
    for (auto fact = record.facts.begin(); fact != record.facts.end();) {
        const bool gone = !record.files.contains(fact->first);
        fact = gone ? record.facts.erase(fact) : std::next(fact);
    }
    const auto file = built.files.find("kernel");
    if (file != built.files.end()) {
        // What it knows of NFS stands in its own record: see lint_kernel.
        boot::KernelFacts facts;
        facts.width = kernel.arch == fleet::KernelArch::arm ? boot::KernelWidth::arm
                                                            : boot::KernelWidth::arm64;
        facts.release = built.release;
        record.facts[file_name_of(kernel)].kernel = facts;
        record.facts["vmlinuz"].kernel = facts;
        record.files[file_name_of(kernel)] = file->second;
        record.files["vmlinuz"] = file->second;  // for U-Boot's pxelinux.cfg
    }
    if (initramfs) record.files["initrd.img"] = *initramfs;
    record.config_txt = config_txt_for(image.config_txt, kernel, initramfs.has_value());
    return record;
}

}  // namespace bramble::plan
