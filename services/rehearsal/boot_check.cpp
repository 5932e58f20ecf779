#include "services/rehearsal/boot_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/types/text.hpp"
#include "services/virtual_board/file_order.hpp"
#include "services/virtual_board/kernel_cmdline.hpp"

namespace bramble::rehearsal {
namespace {

using virtual_board::ConfigTxt;
using virtual_board::Family;

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

virtual_board::FilterFacts filter_facts(const virtual_board::BoardSpec& spec) {
    const unsigned type = spec.revision.value() >> 4U & 0xffU;
    return {
        .model = spec.revision.model().value_or(spec.profile.model),
        .board_type = type,
        .serial = spec.serial,
        .is_3b_plus = type == 0x0d};
}

std::string_view width_words(KernelWidth width) {
    return width == KernelWidth::arm64 ? "64-bit" : "32-bit";
}

}  // namespace

bool FilesTaken::has(std::string_view path) const {
    return std::ranges::find(received, path) != received.end();
}

std::optional<std::string> BootCheck::text_of(
    const layout::BoardEntry& board, std::string_view path
) {
    const layout::BootFile* file = manifest_.find_file(board, path);
    if (file == nullptr) return std::nullopt;
    if (const auto* text = std::get_if<layout::TextFile>(file)) return text->text;
    const auto content = evidence_.open(std::get<layout::ObjectFile>(*file));
    if (!content) return std::nullopt;
    return std::string(as_text((*content)->bytes));
}

std::uint64_t BootCheck::size_of(const layout::BoardEntry& board, std::string_view path) const {
    const layout::BootFile* file = manifest_.find_file(board, path);
    if (file == nullptr) return 0;
    if (const auto* text = std::get_if<layout::TextFile>(file)) return text->text.size();
    return std::get<layout::ObjectFile>(*file).size;
}

ConfigTxt BootCheck::evaluate(
    const layout::BoardEntry& board, const virtual_board::BoardSpec& spec
) {
    const auto include = [this, &board](std::string_view name) { return text_of(board, name); };
    return virtual_board::evaluate_config(
        text_of(board, "config.txt").value_or(""), filter_facts(spec), include
    );
}

void BootCheck::check_config(
    const layout::BoardEntry& board,
    const virtual_board::BoardSpec& spec,
    const FilesTaken& taken,
    Report& report
) {
    Look look{board, spec, taken, report, evaluate(board, spec)};
    check_form(look);
    check_prefixes(look);
    check_device_tree(look);
    check_cmdline(look);
}

// Fact sheet 7.1: 4096 bytes, 98 characters of a line, ASCII.
void BootCheck::check_form(Look& look) {
    Report& report = look.report;
    const auto text = text_of(look.board, "config.txt");
    if (!text) {
        return report.doubt(
            Phase::config,
            "there is no config.txt: the firmware takes its own defaults",
            "give the image a config.txt or the profile config_txt:"
        );
    }
    if (!virtual_board::config_is_taken(*text)) {
        report.stop(
            Phase::config,
            fmt::format(
                "config.txt has {} bytes, and the firmware ignores one of more than {} as a whole",
                text->size(),
                virtual_board::config_bytes_max
            ),
            "shorten it: comments in the image's config.txt go first"
        );
    }
    std::size_t number = 0;
    for (std::string_view rest = *text; !rest.empty();) {
        ++number;
        const auto end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        const bool foreign =
            std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
        if (foreign) {
            report.stop(
                Phase::config,
                fmt::format(
                    "config.txt:{} has a byte that is not ASCII, where the firmware stops "
                    "reading",
                    number
                ),
                "write that line in ASCII"
            );
            break;
        }
        if (line.size() > virtual_board::config_line_chars_max && line.front() != '#') {
            report.doubt(
                Phase::config,
                fmt::format(
                    "config.txt:{} has {} characters, and the firmware reads {}",
                    number,
                    line.size(),
                    virtual_board::config_line_chars_max
                ),
                "shorten the line"
            );
        }
    }
    for (const std::string& name : look.config.includes) {
        if (manifest_.find_file(look.board, name) != nullptr) continue;
        report.doubt(
            Phase::config,
            fmt::format("config.txt includes {}, which is not served", name),
            "add it to the image's boot directory or under boot_files:"
        );
    }
}

// Fact sheet 7.1: os_prefix holds only if kernel and device tree exist under it, overlay_prefix
// only if its README does.
void BootCheck::check_prefixes(Look& look) {
    const ConfigTxt& config = look.config;
    const auto dropped = [&look](const std::string& prefix) {
        for (const std::string& path : look.taken.missing) {
            if (path.starts_with(prefix)) return path;
        }
        return std::string();
    };
    if (!config.os_prefix.empty()) {
        const std::string dtb =
            config.os_prefix +
            config.device_tree.value_or(std::string(virtual_board::device_tree_of(look.spec)));
        const std::string missing = dropped(config.os_prefix);
        const bool held = look.taken.has(dtb);
        if (!held && !missing.empty()) {
            look.report.stop(
                Phase::config,
                fmt::format(
                    "os_prefix={} does not hold, because {} is not served",
                    config.os_prefix,
                    missing
                ),
                "serve kernel and device tree under the prefix, or remove it"
            );
        }
    }
    if (config.overlay_prefix) {
        const std::string readme = *config.overlay_prefix + "README";
        if (look.taken.missing.contains(readme) ||
            look.taken.missing.contains(config.os_prefix + readme)) {
            look.report.doubt(
                Phase::config,
                fmt::format(
                    "overlay_prefix={} does not hold, because {} is not served",
                    *config.overlay_prefix,
                    readme
                ),
                "add a file README there, which is how the firmware looks for the prefix"
            );
        }
    }
}

void BootCheck::check_device_tree(Look& look) {
    const ConfigTxt& config = look.config;
    const std::string dtb =
        config.device_tree.value_or(std::string(virtual_board::device_tree_of(look.spec)));
    const auto missing = [&look](std::string_view path) {
        return look.taken.missing.contains(path);
    };
    const bool there = dtb.empty() || look.taken.has(dtb) || look.taken.has(config.os_prefix + dtb);
    if (!there && (missing(dtb) || missing(config.os_prefix + dtb))) {
        look.report.stop(
            Phase::config,
            fmt::format("{} is not served, and the kernel starts without a device tree", dtb),
            "take it from the image's kernel package into the boot directory"
        );
    }
    for (const std::string& overlay : config.overlays) {
        const std::string file = overlay + ".dtbo";
        const auto gone = std::ranges::find_if(look.taken.missing, [&file](const auto& path) {
            return base_name(path) == file;
        });
        if (gone == look.taken.missing.end()) continue;
        look.report.doubt(
            Phase::config,
            fmt::format("dtoverlay={} has no effect, because {} is not served", overlay, *gone),
            "add the overlay to the boot files, or remove the line from config.txt"
        );
    }
    if (there && !dtb.empty()) look.report.tell(Phase::config, "device tree " + dtb);
    if (!config.overlays.empty()) {
        look.report.tell(
            Phase::config, fmt::format("overlays {}", fmt::join(config.overlays, ", "))
        );
    }
}

// The kernel gets one line; whatever stands behind its end is lost (fact sheet 7.2).
void BootCheck::check_cmdline(Look& look) {
    std::string path = look.config.os_prefix + look.config.cmdline;
    if (!look.taken.has(path)) path = look.config.cmdline;
    const auto text = text_of(look.board, path);
    if (!text) return;
    std::size_t lines = 0;
    for (std::string_view rest = *text; !rest.empty();) {
        const auto end = rest.find('\n');
        if (rest.substr(0, end).find_first_not_of(" \t\r") != std::string_view::npos) ++lines;
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    if (lines > 1) {
        look.report.stop(
            Phase::config,
            fmt::format("{} has {} lines, and the kernel gets the first one only", path, lines),
            "write the command line in one line"
        );
    }
}

Result<KernelFacts> BootCheck::kernel_facts(
    const layout::BoardEntry& board, std::string_view path
) {
    const layout::BootFile* file = manifest_.find_file(board, path);
    const auto* object = file == nullptr ? nullptr : std::get_if<layout::ObjectFile>(file);
    if (object == nullptr) return KernelFacts{};
    const auto known = kernels_.find(object->digest);
    if (known != kernels_.end()) return known->second;
    const auto look = [&]() -> Result<KernelFacts> {
        const auto content = evidence_.open(*object);
        if (!content) return tl::unexpected(content.error());
        const auto plain = evidence_.unpacked(**content);
        if (!plain) return tl::unexpected(plain.error());
        return read_kernel(*plain);
    };
    return kernels_.emplace(object->digest, look()).first->second;
}

Result<InitramfsFacts> BootCheck::initramfs_facts(
    const layout::BoardEntry& board, std::string_view path
) {
    const layout::BootFile* file = manifest_.find_file(board, path);
    const auto* object = file == nullptr ? nullptr : std::get_if<layout::ObjectFile>(file);
    if (object == nullptr) return fail("it is a text of the fleet file");
    const auto known = initramfs_.find(object->digest);
    if (known != initramfs_.end()) return known->second;
    const auto look = [&]() -> Result<InitramfsFacts> {
        const auto content = evidence_.open(*object);
        if (!content) return tl::unexpected(content.error());
        return evidence_.initramfs(**content);
    };
    return initramfs_.emplace(object->digest, look()).first->second;
}

bool BootCheck::check_initramfs(Look& look) {
    const ConfigTxt& config = look.config;
    bool klibc = false;
    std::vector<std::string> paths;
    for (const std::string& name : config.initramfs) {
        const std::string under = config.os_prefix + name;
        if (look.taken.has(under) || look.taken.has(name)) {
            paths.push_back(look.taken.has(under) ? under : name);
            continue;
        }
        look.report.stop(
            Phase::kernel,
            fmt::format("config.txt names the initramfs {}, which is not served", name),
            "add it to the boot files, or remove the line from config.txt"
        );
    }
    for (const std::string& path : look.taken.received) {
        const bool automatic = config.initramfs.empty() && config.auto_initramfs;
        if (automatic && base_name(path).starts_with("initramfs")) paths.push_back(path);
    }
    for (const std::string& path : paths) {
        const auto facts = initramfs_facts(look.board, path);
        if (!facts) {
            look.report.stop(
                Phase::kernel,
                fmt::format("{} is not an initramfs: {}", path, facts.error().message),
                "make it anew (update-initramfs -u -k all in the image), then apply"
            );
            continue;
        }
        klibc = klibc || facts->mounts_by_klibc;
        look.report.tell(
            Phase::kernel,
            fmt::format(
                "{} {}{}",
                path,
                describe_bytes(size_of(look.board, path)),
                facts->mounts_by_klibc ? ", mounts by klibc's nfsmount" : ""
            )
        );
        if (facts->has_init || paths.size() > 1) continue;
        look.report.doubt(
            Phase::kernel,
            fmt::format("{} has no /init: the kernel mounts the root by itself", path),
            "make it anew, or remove it from config.txt"
        );
    }
    return klibc;
}

void BootCheck::check_mount_options(Look& look, bool klibc) {
    if (!klibc || !look.board.root) return;
    std::string path = look.config.os_prefix + look.config.cmdline;
    if (!look.taken.has(path)) path = look.config.cmdline;
    const auto boot = virtual_board::parse_cmdline(text_of(look.board, path).value_or(""));
    if (!boot) return;  // the board said so itself
    const auto taken =
        virtual_board::check_mount_options(boot->root, true, virtual_board::InitramfsMount::klibc);
    if (taken) return;
    look.report.stop(
        Phase::root,
        taken.error().message,
        "set the profile's root: {nfs_version: \"3\"}, or config_txt: {auto_initramfs: 0}"
    );
}

std::string BootCheck::check_kernel(
    const layout::BoardEntry& board,
    const virtual_board::BoardSpec& spec,
    const FilesTaken& taken,
    Report& report
) {
    if (taken.received.empty()) return "";
    Look look{board, spec, taken, report, evaluate(board, spec)};
    const bool klibc = check_initramfs(look);
    const std::string& path = taken.received.back();
    const auto facts = kernel_facts(board, path);
    if (!facts) {
        report.stop(
            Phase::kernel,
            fmt::format("{} cannot be unpacked: {}", path, facts.error().message),
            "put a whole kernel in its place, then apply"
        );
        return "";
    }
    const std::string release = facts->release.empty() ? board.kernel_release : facts->release;
    const bool starts_64 = spec.profile.family == Family::pi5 || look.config.arm_64bit;
    const bool is_64 = facts->width == KernelWidth::arm64;
    std::string story = fmt::format("{} {}", path, describe_bytes(size_of(board, path)));
    if (facts->width != KernelWidth::unknown) {
        story += fmt::format(", {}", width_words(facts->width));
        if (is_64 != starts_64) {
            report.stop(
                Phase::kernel,
                fmt::format(
                    "{} is a {} kernel, and the firmware starts it as a {} one (arm_64bit={})",
                    path,
                    width_words(facts->width),
                    starts_64 ? "64-bit" : "32-bit",
                    look.config.arm_64bit ? 1 : 0
                ),
                spec.profile.family == Family::pi5
                    ? "serve a 64-bit kernel"
                    : fmt::format(
                          "set config_txt: {{arm_64bit: {}}}, or serve the other kernel",
                          is_64 ? 1 : 0
                      )
            );
        }
    }
    report.tell(Phase::kernel, release.empty() ? story : story + ", " + release);
    check_mount_options(look, klibc);
    return release;
}

}  // namespace bramble::rehearsal
