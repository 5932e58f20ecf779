#include "provisioning/image/first_boot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "provisioning/image/inside.hpp"

namespace bramble::image {
namespace {

using host::Path;

constexpr const char* issue = "etc/rpi-issue";
constexpr const char* machinery = "usr/lib/raspberrypi-sys-mods";

// Units and SysV scripts of the releases from buster to trixie. Masked, so that no link of the
// image and no preset brings them back.
struct Unit {
    const char* name;
    const char* what;
};

constexpr auto units = std::to_array<Unit>(
    {{"resize2fs_once.service", "growing the root (resize2fs_once)"},
     {"rpi-resize.service", "growing the root (rpi-resize.service)"},
     {"systemd-growfs-root.service", "growing the root (systemd-growfs)"},
     {"dphys-swapfile.service", "swap file (dphys-swapfile)"},
     {"rpi-resize-swap-file.service", "swap file (rpi-swap)"},
     {"rpi-remove-swap-file@.service", "swap file (rpi-swap)"},
     {"regenerate_ssh_host_keys.service", "new SSH host keys (regenerate_ssh_host_keys)"}}
);

// systemd.generator(7): a link to /dev/null of the same name in etc masks one.
constexpr const char* swap_generator = "systemd/system-generators/rpi-swap-generator";
constexpr auto swap_files = std::to_array<const char*>({"var/swap", "swapfile"});

// What the image's own command line would begin with.
constexpr auto cmdline_words = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"init=/usr/lib/raspi-config/init_resize.sh", "init=…/init_resize.sh"},
     {"init=/usr/lib/raspberrypi-sys-mods/firstboot", "init=…/firstboot"},
     {"resize", "resize"},
     {"systemd.run=", "systemd.run="},
     {"ds=nocloud", "ds=nocloud"},
     {"root=PARTUUID=", "root=PARTUUID="}}
);

// VALUE of KEY=VALUE or KEY="VALUE" in os-release(5).
std::string value_of(std::string_view text, std::string_view key) {
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != '=')
            continue;
        std::string value = line.substr(key.size() + 1);
        std::erase(value, '"');
        return value;
    }
    return {};
}

class Remover {
public:
    explicit Remover(root::Tree& tree) : tree_(tree) {}

    Result<FirstBoot> run(std::string_view cmdline);

private:
    bool has(const Path& path) {
        const auto status = tree_.status(path);
        return status && status->has_value();
    }

    std::string text_of(const Path& path) {
        if (!has(path)) return {};
        const auto text = tree_.read_file(path);
        return text ? *text : std::string();  // a link that leads nowhere: as if it were not there
    }

    void note(std::string what) {
        auto& all = found_.taken_out;
        if (std::find(all.begin(), all.end(), what) == all.end()) all.push_back(std::move(what));
    }

    std::string release();
    void look_at_cmdline(std::string_view cmdline);
    Result<void> mask_units();
    Result<void> remove_swap();
    Result<void> edit_fstab();
    Result<void> still_cloud_init();

    root::Tree& tree_;
    FirstBoot found_;
};

std::string Remover::release() {
    const std::string about = text_of(issue);
    if (about.empty() && !has(machinery)) return {};
    const std::string system = text_of("etc/os-release");
    std::string text = "Raspberry Pi OS";
    if (const std::string version = value_of(system, "VERSION_ID"); !version.empty())
        text += " " + version;
    if (const std::string name = value_of(system, "VERSION_CODENAME"); !name.empty())
        text += fmt::format(" ({})", name);
    const auto processor = processor_of(text_of("bin/sh"));
    if (processor) text += processor->architecture == "arm64" ? ", 64 bit" : ", 32 bit";
    constexpr std::string_view reference = "Raspberry Pi reference ";
    constexpr std::size_t date_size = 10;
    if (about.starts_with(reference) && about.size() >= reference.size() + date_size)
        text += ", of " + about.substr(reference.size(), date_size);
    return text;
}

void Remover::look_at_cmdline(std::string_view cmdline) {
    std::istringstream words{std::string(cmdline)};
    for (std::string word; words >> word;)
        for (const auto& [begin, shown] : cmdline_words)
            if (begin.ends_with('=') || begin == "ds=nocloud" ? word.starts_with(begin)
                                                              : word == begin)
                note(fmt::format("{} of cmdline.txt", shown));
}

Result<void> Remover::mask_units() {
    for (const Unit& unit : units) {
        const Path script = Path("etc/init.d") / Path(unit.name).stem();
        if (!has(Path("lib/systemd/system") / unit.name) && !has(script)) continue;
        note(unit.what);
        const Path mask = Path("etc/systemd/system") / unit.name;
        if (auto done = tree_.symlink(mask, "/dev/null"); !done) return done;
    }
    return {};
}

Result<void> Remover::remove_swap() {
    if (has(Path("lib") / swap_generator)) {
        note("swap file (rpi-swap)");
        if (auto done = tree_.symlink(Path("etc") / swap_generator, "/dev/null"); !done)
            return done;
    }
    for (const char* file : swap_files) {
        if (!has(file)) continue;
        note(fmt::format("/{}", file));
        if (auto done = tree_.remove(file); !done) return done;
    }
    return {};
}

Result<void> Remover::edit_fstab() {
    const std::string before = text_of("etc/fstab");
    std::size_t gone = 0;
    const std::string after = fstab_without_card(before, gone);
    if (gone == 0) return {};
    note(fmt::format("{} line{} of fstab", gone, gone == 1 ? "" : "s"));
    return tree_.write_file("etc/fstab", after);
}

// It would write networks, users and new SSH host keys of its own; cloud-init's documentation, "How
// to disable cloud-init".
Result<void> Remover::still_cloud_init() {
    if (!has("etc/cloud/cloud.cfg")) return {};
    note("cloud-init");
    if (has("etc/cloud/cloud-init.disabled")) return {};
    return tree_.write_file("etc/cloud/cloud-init.disabled", "");
}

Result<FirstBoot> Remover::run(std::string_view cmdline) {
    found_.release = release();
    if (found_.release.empty()) return std::move(found_);
    look_at_cmdline(cmdline);
    return mask_units()
        .and_then([&] { return remove_swap(); })
        .and_then([&] { return edit_fstab(); })
        .and_then([&] { return still_cloud_init(); })
        .map([&] { return std::move(found_); });
}

}  // namespace

Result<FirstBoot> take_out_first_boot(root::Tree& tree, std::string_view cmdline) {
    return Remover(tree).run(cmdline);
}

std::string fstab_without_card(std::string_view text, std::size_t& gone) {
    std::string kept;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string device;
        std::string place;
        std::string type;
        words >> device >> place >> type;
        const bool comment = device.empty() || device.front() == '#';
        const bool of_the_card = device.starts_with("PARTUUID=") || place == "/" ||
                                 place == "/boot" || place == "/boot/firmware" || type == "swap";
        if (comment || !of_the_card) {
            kept += line + '\n';
        } else {
            ++gone;
        }
    }
    return kept;
}

}  // namespace bramble::image
