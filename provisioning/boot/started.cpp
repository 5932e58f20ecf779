#include "provisioning/boot/started.hpp"

#include <algorithm>
#include <charconv>

#include "provisioning/boot/cmdline_words.hpp"
#include "provisioning/boot/pxelinux.hpp"

namespace bramble::boot {
namespace {

bool has(const layout::BootTree& tree, std::string_view name) {
    return tree.find(name) != tree.end();
}

std::string kernel_of(const layout::BootTree& tree, const Settings& settings, BoardModel model) {
    std::vector<std::string> names = {value_of(settings, "kernel")};
    if (names.front().empty()) {
        const std::string wide = value_of(settings, "arm_64bit");
        names = wide == "0" ? std::vector<std::string>{"kernel7l.img"}
                            : std::vector<std::string>{"kernel8.img", "kernel7l.img"};
        if (model == BoardModel::pi5) names = {"kernel_2712.img", "kernel8.img"};
        if (model == BoardModel::pi3) {
            names = wide == "1" ? std::vector<std::string>{"kernel8.img"}
                                : std::vector<std::string>{"kernel7.img", "kernel8.img"};
        }
    }
    for (const std::string& name : names) {
        if (has(tree, name)) return name;
    }
    return {};
}

// A comma list is concatenated; auto_initramfs takes what has the kernel's name, if it is there.
void add_initramfs(const layout::BootTree& tree, const Settings& settings, Started& started) {
    const std::string named = value_of(settings, "initramfs");
    const std::string_view kernel = started.kernel;
    std::string names = named;
    if (named.empty() && value_of(settings, "auto_initramfs") == "1" &&
        kernel.starts_with("kernel") && kernel.ends_with(".img")) {
        names = "initramfs" + std::string(kernel.substr(6, kernel.size() - 10));
    }
    std::string_view rest = names;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        const std::string_view name = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (name.empty()) continue;
        if (has(tree, name)) {
            started.initramfs.emplace_back(name);
        } else if (!named.empty()) {
            started.missing_initramfs.emplace_back(name);
        }
    }
}

// Names by kind: start4.elf, start4x.elf, start4cd.elf, start4db.elf; of a Pi 3 start.elf,
// start_x.elf, start_cd.elf, start_db.elf.
void add_firmware(const Settings& settings, BoardModel model, Started& started) {
    if (model == BoardModel::pi5 || model == BoardModel::generic) return;
    std::string kind;
    const std::string memory = value_of(settings, "gpu_mem");
    unsigned megabytes = 0;
    std::from_chars(memory.data(), memory.data() + memory.size(), megabytes);
    if (!memory.empty() && megabytes <= 16) kind = "cd";
    if (value_of(settings, "start_x") == "1") kind = "x";
    if (value_of(settings, "start_debug") == "1") kind = "db";
    std::string middle = kind;
    if (model == BoardModel::pi3 && !kind.empty()) middle = "_" + kind;
    if (model != BoardModel::pi3) middle = "4" + kind;
    started.start_file = "start" + middle + ".elf";
    started.fixup_file = "fixup" + middle + ".dat";
    if (const auto own = value_of(settings, "start_file"); !own.empty()) started.start_file = own;
    if (const auto own = value_of(settings, "fixup_file"); !own.empty()) started.fixup_file = own;
}

}  // namespace

std::string cmdline_word(std::string_view line, std::string_view name) {
    std::string found;
    for (const std::string& word : split_words(words_of(line)).kernel) {
        if (key_of(word) != name) continue;
        const auto equals = word.find('=');
        if (equals == word.npos) continue;
        found = word.substr(equals + 1);
        std::erase(found, '"');
    }
    return found;
}

Started started_of(const layout::BootTree& tree, BoardModel model, const ConfigReading& config) {
    Started started;
    if (model == BoardModel::generic) {
        const auto files = find_kernel(tree);
        // A script of the boot files may load anything.
        const bool scripted = has(tree, "boot.scr.uimg") || has(tree, "boot.scr");
        if (!files || scripted || text_at(tree, pxelinux_path).empty()) return started;
        started.kernel = files->kernel;
        if (!files->initrd.empty()) started.initramfs.push_back(files->initrd);
        started.known = true;
        return started;
    }
    add_firmware(config.early, model, started);
    const Settings& settings = config.settings;
    if (!config.complete || settings.contains("os_prefix") ||
        value_of(settings, "boot_ramdisk") == "1") {
        return started;
    }
    started.known = !text_at(tree, "config.txt").empty();
    started.kernel = kernel_of(tree, settings, model);
    add_initramfs(tree, settings, started);
    if (started.kernel.empty()) started.missing_kernel = value_of(settings, "kernel");
    return started;
}

}  // namespace bramble::boot
