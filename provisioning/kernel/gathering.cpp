#include "provisioning/kernel/gathering.hpp"

#include <fmt/format.h>

namespace bramble::kernel {
namespace {

constexpr std::uint64_t configuration_bytes_max = 8U << 20U;

}  // namespace

Result<void> Gathering::begin() {
    return host_.make_directories(boot());
}

Result<void> Gathering::copy_some(
    const Path& from, const Path& to, std::string_view begin, std::string_view end
) {
    const auto status = host_.status(from);
    if (!status) return tl::unexpected(status.error());
    if (!*status || (*status)->kind != host::FileKind::directory) return {};
    const auto entries = host_.list(from);
    if (!entries) return tl::unexpected(entries.error());
    for (const host::DirectoryEntry& entry : *entries) {
        const bool wanted = entry.kind == host::FileKind::regular &&
                            entry.name.starts_with(begin) && entry.name.ends_with(end);
        if (!wanted) continue;
        if (auto made = host_.make_directories(to); !made) return made;
        const auto copied = host_.copy_file(from / entry.name, to / entry.name);
        if (!copied) return tl::unexpected(copied.error());
    }
    return {};
}

// The mainline kernel knows a CM4 by its carrier board.
Result<void> Gathering::add_device_trees(const Path& from) {
    for (const Path& directory : {from, from / "broadcom"}) {
        for (const char* begin : {"bcm27", "bcm283"}) {
            if (auto done = copy_some(directory, boot(), begin, ".dtb"); !done) return done;
        }
    }
    if (auto done = copy_some(from / "overlays", boot() / "overlays", "", ".dtbo"); !done) {
        return done;
    }
    if (auto done = copy_some(from / "overlays", boot() / "overlays", "overlay_map", ".dtb");
        !done) {
        return done;
    }
    const Path carrier = boot() / "bcm2711-rpi-cm4-io.dtb";
    const Path module = boot() / "bcm2711-rpi-cm4.dtb";
    const auto there = host_.status(carrier);
    const auto taken = host_.status(module);
    if (!there) return tl::unexpected(there.error());
    if (!taken) return tl::unexpected(taken.error());
    if (!*there || *taken) return {};
    return host_.hard_link(carrier, module);
}

Result<void> Gathering::adopt_modules(const Path& tree, const std::string& release) {
    Path from = tree / "lib/modules" / release;
    const auto there = host_.status(from);
    if (!there) return tl::unexpected(there.error());
    if (!*there) from = tree / "usr/lib/modules" / release;
    return host_.make_directories(modules() / "lib/modules")
        .and_then([&] { return host_.rename(from, modules() / "lib/modules" / release); })
        .and_then([&] { return finish_modules(release); });
}

Result<void> Gathering::finish_modules(const std::string& release) {
    const Path directory = modules() / "lib/modules" / release;
    for (const char* link : {"build", "source"}) {
        if (auto removed = host_.remove_all(directory / link); !removed) return removed;
    }
    if (!host_.has_program("depmod")) return fail("depmod is missing: install the package kmod");
    host::Command command;
    command.argv = {"depmod", "--basedir", modules().string(), release};
    command.log = log_;
    command.stop = stop_;
    return run_or_fail(host_, command).map([](const auto&) {});
}

Result<Options> Gathering::add_configuration(const Path& from) {
    const auto text = host_.read_file(from, configuration_bytes_max);
    if (!text) return tl::unexpected(text.error());
    auto options = parse_configuration(*text);
    if (!options) return fail(fmt::format("'{}' {}", from.string(), options.error().message));
    if (auto written = host_.write_file(directory_ / "config", *text); !written) {
        return tl::unexpected(written.error());
    }
    return options;
}

}  // namespace bramble::kernel
