#include "tests/support/virtual_fleet/processor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/root/cpio.hpp"
#include "services/rehearsal/kernel_image.hpp"

namespace bramble::virtual_fleet {
namespace {

std::string_view name_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool is_kernel(std::string_view name) {
    return name.starts_with("kernel") && name.ends_with(".img");
}

bool is_initramfs(std::string_view name) {
    return name.starts_with("initramfs") || name.starts_with("initrd");
}

}  // namespace

void Processor::on_bytes(
    std::string_view path, std::uint64_t offset, std::span<const std::byte> bytes
) {
    const std::string_view name = name_of(path);
    if (!is_kernel(name) && !is_initramfs(name)) return;
    const std::size_t end = offset + bytes.size();
    if (end > file_bytes_max) return;
    std::string& file = memory_[std::string(name)];
    if (offset == 0) file.clear();  // asked for anew
    file.resize(std::max(file.size(), end));
    std::ranges::transform(bytes, file.begin() + static_cast<std::ptrdiff_t>(offset), [](auto one) {
        return static_cast<char>(one);
    });
}

void Processor::on_file(std::string_view path) {
    const std::string_view name = name_of(path);
    if (is_kernel(name)) kernel_ = name;
    if (is_initramfs(name)) initramfs_ = name;
    if (name.ends_with(".dtb") && name.starts_with("bcm27")) device_tree_ = true;
}

std::string Processor::trouble() const {
    if (!device_tree_) return "the kernel has no device tree and does not start";
    const auto kernel = memory_.find(kernel_);
    if (kernel == memory_.end()) return "there is no kernel in memory";
    const auto plain = root::decompress(kernel->second);
    if (!plain) return fmt::format("{} cannot be unpacked: {}", kernel_, plain.error().message);
    const auto width = rehearsal::read_kernel(*plain).width;
    // Firmware takes the name for the width, unless config.txt says otherwise.
    const bool wide = kernel_ == "kernel8.img" || kernel_.starts_with("kernel_2712");
    if (wide && width == rehearsal::KernelWidth::arm) {
        return kernel_ + " is of 32 bits and does not start in 64";
    }
    if (!wide && width == rehearsal::KernelWidth::arm64) {
        return kernel_ + " is of 64 bits and does not start in 32";
    }
    const auto initramfs = memory_.find(initramfs_);
    if (initramfs == memory_.end() || !initramfs->second.starts_with("\x1f\x8b")) return "";
    const auto entries = root::read_cpio(initramfs->second);
    if (entries) return "";
    return fmt::format("panic: {} cannot be unpacked: {}", initramfs_, entries.error().message);
}

}  // namespace bramble::virtual_fleet
