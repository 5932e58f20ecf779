#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "services/virtual_board/file_order.hpp"

namespace bramble::virtual_board {

namespace {

constexpr LedCode led_no_kernel{0, 7};

std::string_view armstub_of(const Profile& profile, bool arm_64bit) {
    switch (profile.family) {
        case Family::pi3:
            return arm_64bit ? "armstub8.bin" : "armstub7.bin";
        case Family::pi4:
            return arm_64bit ? "armstub8-gic.bin" : "armstub8-32-gic.bin";
        case Family::pi5:
            break;
    }
    return "armstub8-2712.bin";
}

// auto_initramfs=1: kernel8.img -> initramfs8, kernel_2712.img -> initramfs_2712.
std::string initramfs_beside(std::string_view kernel) {
    const auto slash = kernel.rfind('/');
    const std::string folder(slash == std::string_view::npos ? "" : kernel.substr(0, slash + 1));
    std::string_view name = kernel.substr(folder.size());
    if (!name.starts_with("kernel")) return "";
    name.remove_prefix(6);
    return folder + "initramfs" + std::string(name.substr(0, name.find('.')));
}

}  // namespace

std::string_view device_tree_of(const BoardSpec& spec) {
    switch (spec.revision.value() >> 4U & 0xffU) {
        case 0x08:
            return "bcm2710-rpi-3-b.dtb";
        case 0x0d:
            return "bcm2710-rpi-3-b-plus.dtb";
        case 0x13:
            return "bcm2711-rpi-400.dtb";
        case 0x14:
            return "bcm2711-rpi-cm4.dtb";
        case 0x15:
            return "bcm2711-rpi-cm4s.dtb";
        case 0x17:
            return "bcm2712-rpi-5-b.dtb";
        case 0x18:
            return "bcm2712-rpi-cm5-cm5io.dtb";
        case 0x19:
            return "bcm2712-rpi-500.dtb";
        default:
            return "bcm2711-rpi-4-b.dtb";
    }
}

// Fact sheet 2.6, rows 1 to 6; for start.elf of a Pi 3 the same with single reads (2.8).
void FileOrder::begin_firmware() {
    stage_ = FileStage::firmware;
    ask("recovery.elf");
    read_config();
    ask("dt-blob.bin");
    ask("recovery.elf");
    read_config();
    ask("bootcfg.txt");
    call(&FileOrder::choose_os_prefix);
}

void FileOrder::begin_pi5_second_half() {
    stage_ = FileStage::firmware;
    read_config();
    call(&FileOrder::choose_os_prefix);
}

void FileOrder::read_config() {
    const std::string name = spec_.profile.doubles_slashes ? "/config.txt" : "config.txt";
    const bool pi5 = spec_.profile.family == Family::pi5;
    add(
        {.name = name,
         .probe = !pi5,
         .full_after_probe = !pi5,
         .keep_content = true,
         .handler = &FileOrder::on_config}
    );
    if (spec_.profile.family != Family::pi3) {  // read twice
        add({.name = name, .keep_content = true, .handler = &FileOrder::on_config});
    }
    call(&FileOrder::fetch_includes);
}

void FileOrder::on_config(const FileResult& result) {
    take_config(result);
    config_ = evaluated(true);
}

// Included files are fetched again each time, nested ones as soon as they are known.
void FileOrder::fetch_includes() {
    config_ = evaluated(true);
    for (const std::string& name : config_.includes) {
        if (includes_.contains(name)) continue;
        add({.name = name, .keep_content = true, .handler = &FileOrder::on_include});
        return call(&FileOrder::fetch_includes);
    }
}

void FileOrder::on_include(const FileResult& result) {
    includes_[current_.name] = got(result) && config_is_taken(result.content) ? result.content : "";
}

std::vector<std::string> FileOrder::kernel_names() const {
    if (config_.kernel) return {*config_.kernel};
    switch (spec_.profile.family) {
        case Family::pi5:
            return {"kernel_2712.img", "kernel8.img"};
        case Family::pi4:
            if (config_.arm_64bit) return {"kernel8.img", "kernel7l.img", "kernel.img"};
            return {"kernel7l.img", "kernel7.img", "kernel.img"};
        case Family::pi3:
            break;
    }
    if (config_.arm_64bit) return {"kernel8.img", "kernel7.img", "kernel.img"};
    return {"kernel7.img", "kernel.img"};
}

// Fact sheet 7.1: os_prefix holds only if the kernel and the device tree exist under it.
void FileOrder::choose_os_prefix() {
    os_prefix_ = config_.os_prefix;
    if (!os_prefix_.empty()) {
        const std::string dtb = config_.device_tree.value_or(std::string(device_tree_of(spec_)));
        for (const std::string& name : {kernel_names().front(), dtb}) {
            add(
                {.name = os_prefix_ + name,
                 .probe = true,
                 .handler = &FileOrder::on_os_prefix_probe}
            );
        }
    }
    call(&FileOrder::choose_overlay_prefix);
}

void FileOrder::on_os_prefix_probe(const FileResult& result) {
    if (result.status != FileStatus::found) os_prefix_.clear();
}

// overlay_prefix holds only if `<prefix>README` exists.
void FileOrder::choose_overlay_prefix() {
    overlay_prefix_ = os_prefix_ + config_.overlay_prefix.value_or("overlays/");
    if (config_.overlay_prefix) {
        add(
            {.name = overlay_prefix_ + "README",
             .probe = true,
             .handler = &FileOrder::on_overlay_prefix_probe}
        );
    }
    call(&FileOrder::fetch_payload);
}

void FileOrder::on_overlay_prefix_probe(const FileResult& result) {
    if (result.status != FileStatus::found) overlay_prefix_ = os_prefix_ + "overlays/";
}

void FileOrder::fetch_payload() {
    const bool pi5 = spec_.profile.family == Family::pi5;
    kernels_ = kernel_names();
    for (std::string& name : kernels_) name = os_prefix_ + name;
    if (pi5) {
        call(&FileOrder::choose_kernel);
    } else {
        call(&FileOrder::fetch_initramfs);
    }
    const std::string dtb = config_.device_tree.value_or(std::string(device_tree_of(spec_)));
    add({.name = os_prefix_ + dtb, .probe = !pi5, .full_after_probe = !pi5});
    const std::string map = overlay_prefix_ + "overlay_map.dtb";
    add({.name = map, .probe = !pi5, .full_after_probe = !pi5});
    read_config();
    call(&FileOrder::fetch_overlays);
    call(&FileOrder::fetch_cmdline);
    if (pi5) {
        call(&FileOrder::fetch_initramfs);
        return call(&FileOrder::fetch_kernel);
    }
    ask(config_.arm_64bit ? "recovery8.img" : "recovery7l.img");
    call(&FileOrder::choose_kernel);
    call(&FileOrder::fetch_kernel);
}

void FileOrder::fetch_initramfs() {
    for (const std::string& name : config_.initramfs) {
        add({.name = os_prefix_ + name, .handler = &FileOrder::on_initramfs});
    }
    if (!config_.initramfs.empty() || !config_.auto_initramfs) return;
    const std::string name = initramfs_beside(kernels_[kernel_]);
    if (!name.empty()) add({.name = name, .handler = &FileOrder::on_initramfs});
}

void FileOrder::on_initramfs(const FileResult& result) {
    if (got(result)) initramfs_ = true;
}

void FileOrder::fetch_overlays() {
    const bool probe = spec_.profile.family != Family::pi5;
    for (const std::string& name : config_.overlays) {
        add({.name = overlay_prefix_ + name + ".dtbo", .probe = probe, .full_after_probe = probe});
    }
}

void FileOrder::fetch_cmdline() {
    const bool probe = spec_.profile.family != Family::pi5;
    const std::string name = os_prefix_ + config_.cmdline;
    add(
        {.name = spec_.profile.doubles_slashes ? "/" + name : name,
         .probe = probe,
         .full_after_probe = probe,
         .keep_content = true,
         .handler = &FileOrder::on_cmdline}
    );
}

void FileOrder::on_cmdline(const FileResult& result) {
    if (got(result)) cmdline_ = result.content;
}

void FileOrder::choose_kernel() {
    if (kernel_ >= kernels_.size()) {
        return fail_boot(
            Failure::no_kernel,
            config_.kernel
                ? fmt::format(
                      "config.txt names the kernel {}, which is not served", kernels_.front()
                  )
                : fmt::format("none of {} is served", fmt::join(kernels_, ", ")),
            led_no_kernel
        );
    }
    add({.name = kernels_[kernel_], .probe = true, .handler = &FileOrder::on_kernel_probe});
}

void FileOrder::on_kernel_probe(const FileResult& result) {
    if (result.status == FileStatus::found) return;
    // A missing first choice is normal on a Pi 5 with kernel8.img; elsewhere it hides a glitch.
    ++kernel_;
    if (kernel_ < kernels_.size()) ++counters_.kernel_fallbacks;
    call(&FileOrder::choose_kernel);
}

void FileOrder::fetch_kernel() {
    ask(std::string(armstub_of(spec_.profile, config_.arm_64bit)));
    add({.name = kernels_[kernel_], .handler = &FileOrder::on_kernel});
}

void FileOrder::on_kernel(const FileResult& result) {
    if (!got(result)) {
        return fail_boot(
            Failure::no_kernel, kernels_[kernel_] + " was there and is gone", led_no_kernel
        );
    }
    if (!cmdline_) {
        return fail_boot(Failure::no_cmdline, config_.cmdline + " is not served");
    }
    verdict_ = KernelLoaded{*cmdline_, initramfs_};
}

}  // namespace bramble::virtual_board
