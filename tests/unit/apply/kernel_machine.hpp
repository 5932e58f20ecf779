// Sources of a kernel and the programs that build it, for a machine made of memory. Refuses to know
// what a test asks of them.
#pragma once

#include "machine.hpp"

namespace bramble::apply {

inline std::string value_behind(const host::Command& command, std::string_view name) {
    for (const std::string& word : command.argv) {
        if (word.starts_with(name)) return word.substr(name.size());
    }
    return {};
}

inline bool has_word(const host::Command& command, std::string_view word) {
    return std::find(command.argv.begin(), command.argv.end(), word) != command.argv.end();
}

// make, as far as a build asks it: configurations, an image with the options in it, a module.
inline Result<host::CommandOutcome> scripted_make(
    host::MemoryHost& host, const host::Command& command
) {
    const host::Path objects = value_behind(command, "O=");
    const host::Path sources = command.argv.at(2);
    const std::string release = "6.1.0" + value_behind(command, "LOCALVERSION=");
    if (host.text_at(sources / "broken") != "<missing>") {
        return host::CommandOutcome{2, "", "a.c:1:1: error: broken\nmake: *** Error 2\n"};
    }
    if (has_word(command, "tinyconfig")) {
        host.put_file(objects / ".config", "CONFIG_MODULES=y\nCONFIG_OF=y\n");
    } else if (has_word(command, "Image")) {
        host.put_file(
            objects / "arch/arm64/boot/Image", "kernel with " + host.text_at(objects / ".config")
        );
        host.put_file(objects / "arch/arm64/boot/dts/broadcom/bcm2711-rpi-4-b.dtb", "dtb");
        host.put_file(objects / "include/config/kernel.release", release + "\n");
        if (command.on_line) command.on_line("  CC      init/main.o");
    } else if (has_word(command, "modules_install")) {
        const host::Path place = value_behind(command, "INSTALL_MOD_PATH=");
        const host::Path modules = place / "lib/modules" / release;
        host.put_file(modules / "modules.dep", "kernel/dummy.ko:\n");
        host.put_file(modules / "kernel/dummy.ko", "ELF");
        host.put_symlink(modules / "build", objects);
    }
    return host::CommandOutcome{};
}

// merge_config.sh: the fragment behind the configuration; an option that the sources do not know
// gets lost.
inline Result<host::CommandOutcome> scripted_merge(
    host::MemoryHost& host, const host::Command& command
) {
    const host::Path configuration = command.argv.at(5);
    std::string merged = host.text_at(configuration) + host.text_at(command.argv.at(6));
    const std::string unknown = "CONFIG_UNKNOWN=y\n";
    if (const auto at = merged.find(unknown); at != merged.npos) merged.erase(at, unknown.size());
    host.put_file(configuration, merged);
    return host::CommandOutcome{};
}

// A program that tells its version.
inline host::MemoryHost::Script saying(const std::string& version) {
    return [version](host::MemoryHost&, const host::Command&) {
        return host::CommandOutcome{0, version + "\nCopyright\n", ""};
    };
}

inline void furnish_kernel(host::MemoryHost& machine, fleet::Fleet& fleet) {
    machine.put_file("/src/linux/Makefile", "VERSION = 6\n");
    machine.put_file("/src/linux/Kconfig", "config NFS_V3\n\tbool \"3\"\n");
    machine.script("make", scripted_make);
    machine.script("sh", scripted_merge);
    for (const char* program : {"gcc", "flex", "bison", "bc", "depmod"}) {
        machine.script(program, [](host::MemoryHost&, const host::Command&) {
            return host::CommandOutcome{};
        });
    }
    machine.script("aarch64-linux-gnu-gcc", saying("aarch64-linux-gnu-gcc (Debian) 12.2.0"));
    machine.script("aarch64-linux-gnu-ld", saying("GNU ld (GNU Binutils for Debian) 2.40"));
    fleet::Kernel kernel;
    kernel.name = "verity";
    kernel.source = fleet::PathSource{"/src/linux"};
    kernel.defconfig = "tinyconfig";
    kernel.presets = {"nfsroot", "verity"};
    kernel.where = {0, 4, 1};
    fleet.kernels.push_back(kernel);
    fleet.profiles[0].kernel = "verity";
}

}  // namespace bramble::apply
