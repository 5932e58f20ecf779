#include "provisioning/boot/started.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "provisioning/boot/pxelinux.hpp"

namespace bramble::boot {
namespace {

using Settings = std::map<std::string, std::string, std::less<>>;

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool filter_applies(std::string_view filter, BoardModel model) {
    if (filter == "[all]") return true;
    switch (model) {
        case BoardModel::pi3:
            return filter == "[pi3]";
        case BoardModel::pi4:
            return filter == "[pi4]";
        case BoardModel::pi400:
            return filter == "[pi4]" || filter == "[pi400]";
        case BoardModel::cm4:
            return filter == "[pi4]" || filter == "[cm4]";
        case BoardModel::pi5:
            return filter == "[pi5]";
        case BoardModel::generic:
            break;
    }
    return false;
}

// "initramfs NAME followkernel" and "include FILE" have no "=" (fact sheet 7.1).
void read_line(std::string_view line, Settings& settings) {
    for (const std::string_view key : {"initramfs", "include"}) {
        if (!line.starts_with(key) || line.size() == key.size() || line[key.size()] != ' ')
            continue;
        line = trimmed(line.substr(key.size()));
        settings[std::string(key)] = std::string(line.substr(0, line.find(' ')));
        return;
    }
    const auto equals = line.find('=');
    if (equals == line.npos) return;
    settings[std::string(trimmed(line.substr(0, equals)))] =
        std::string(trimmed(line.substr(equals + 1)));
}

Settings settings_of(std::string_view text, BoardModel model) {
    Settings settings;
    bool applies = true;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        if (line.front() == '[') {
            applies = filter_applies(line, model);
        } else if (applies) {
            read_line(line, settings);
        }
    }
    return settings;
}

std::string value_of(const Settings& settings, std::string_view key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string() : found->second;
}

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

// A comma list is concatenated; auto_initramfs takes what has the kernel's name.
std::vector<std::string> initramfs_of(
    const layout::BootTree& tree, const Settings& settings, std::string_view kernel
) {
    std::vector<std::string> found;
    std::string names = value_of(settings, "initramfs");
    if (names.empty() && value_of(settings, "auto_initramfs") == "1" &&
        kernel.starts_with("kernel") && kernel.ends_with(".img")) {
        names = "initramfs" + std::string(kernel.substr(6, kernel.size() - 10));
    }
    std::string_view rest = names;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        if (has(tree, rest.substr(0, end))) found.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return found;
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

std::string_view text_at(const layout::BootTree& tree, std::string_view path) {
    const auto found = tree.find(path);
    if (found == tree.end()) return {};
    const auto* text = std::get_if<layout::TextFile>(&found->second);
    return text == nullptr ? std::string_view() : std::string_view(text->text);
}

std::string cmdline_word(std::string_view line, std::string_view name) {
    std::string found;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find_first_of(" \n"), line.size());
        const std::string_view word = line.substr(0, end);
        line.remove_prefix(std::min(end + 1, line.size()));
        if (word == "--") break;  // what follows is for init
        if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=') {
            found = word.substr(name.size() + 1);
        }
    }
    return found;
}

Started started_of(const layout::BootTree& tree, BoardModel model) {
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
    const Settings settings = settings_of(text_at(tree, "config.txt"), model);
    add_firmware(settings, model, started);
    // An included file may say anything, and is no text that stands here.
    if (settings.contains("os_prefix") || settings.contains("include") ||
        value_of(settings, "boot_ramdisk") == "1") {
        return started;
    }
    started.kernel = kernel_of(tree, settings, model);
    started.initramfs = initramfs_of(tree, settings, started.kernel);
    started.known = has(tree, "config.txt") && !text_at(tree, "config.txt").empty();
    return started;
}

}  // namespace bramble::boot
