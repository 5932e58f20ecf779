#include "provisioning/apply/image_pins.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "provisioning/apply/kernel_workshop.hpp"
#include "provisioning/image/download.hpp"
#include "provisioning/image/ingest.hpp"
#include "provisioning/image/sources.hpp"
#include "provisioning/plan/scope.hpp"

namespace bramble::apply {
namespace {

using host::Path;

// "2026-11-27T08:20:00Z", and once it is built "…Z, 212 packages, SHA-256 …".
constexpr std::string_view packages_mark = ", SHA-256 ";

const kernel::Pin* pin_of(const fleet::Image& image, const kernel::Pins& pins) {
    const auto pin = pins.find(image.name);
    if (pin == pins.end() || pin->second.asked != moving_wish(image)) return nullptr;
    return &pin->second;
}

std::vector<const fleet::Image*> images_in_use(const fleet::Fleet& fleet) {
    std::vector<const fleet::Image*> used;
    std::set<std::string> names;
    for (const fleet::Profile* profile : plan::profiles_in_use(fleet)) {
        if (!names.insert(profile->image).second) continue;
        if (const auto* image = fleet.find_image(profile->image)) used.push_back(image);
    }
    return used;
}

std::string lock_name(const fleet::Fleet& fleet) {
    return kernel::pins_path(fleet).filename().string();
}

Result<std::string> look_up(
    store::Changes& changes, const fleet::Image& image, const PinStep& step
) {
    host::Host& host = changes.store().host();
    const auto* file = std::get_if<fleet::FileSource>(&image.source);
    if (file == nullptr) {
        const auto now = std::chrono::system_clock::to_time_t(host.now());
        return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
    }
    const Path downloads = changes.store().paths().store() / "downloads";
    const Path to = image::download_path(downloads, file->location);
    return host.make_directories(downloads)
        .and_then([&] {
            return image::download(
                host, {file->location, to, std::nullopt, step.progress, step.stop}
            );
        })
        .map([](const Digest& sum) { return sum.to_string(); });
}

}  // namespace

std::optional<std::string> moving_wish(const fleet::Image& image) {
    if (const auto* file = std::get_if<fleet::FileSource>(&image.source)) {
        if (file->sha256 || !image::is_url(*file)) return std::nullopt;
        return "file " + file->location;
    }
    if (const auto* debian = std::get_if<fleet::DebianSource>(&image.source)) {
        return fmt::format("debian {} for {}", debian->suite, debian->arch);
    }
    return std::nullopt;
}

fleet::Image pinned_image(const fleet::Image& image, const kernel::Pins& pins) {
    fleet::Image pinned = image;
    auto* file = std::get_if<fleet::FileSource>(&pinned.source);
    const kernel::Pin* pin = pin_of(image, pins);
    if (file == nullptr || pin == nullptr) return pinned;
    if (auto sum = Digest::parse(pin->means)) file->sha256 = *sum;
    return pinned;
}

Result<Digest> pinned_key(const fleet::Image& image, const kernel::Pins& pins, host::Host& host) {
    const auto key = image::source_key(pinned_image(image, pins), host);
    const kernel::Pin* pin = pin_of(image, pins);
    if (!key || pin == nullptr || !std::holds_alternative<fleet::DebianSource>(image.source)) {
        return key;
    }
    // Without the packages, which are known only when it is built.
    const std::string moment = pin->means.substr(0, pin->means.find(','));
    return Digest::of(fmt::format("{}\nof {}\n", key->to_string(), moment));
}

std::vector<plan::Problem> unpinned_images(const fleet::Fleet& fleet, const kernel::Pins& pins) {
    std::vector<plan::Problem> problems;
    for (const fleet::Image* image : images_in_use(fleet)) {
        const auto wish = moving_wish(*image);
        if (!wish || pin_of(*image, pins) != nullptr) continue;
        problems.push_back(
            {image->where,
             fmt::format(
                 "image '{}': {} '{}': apply looks up what '{}' means and writes it down there",
                 image->name,
                 pins.contains(image->name) ? "something else was asked for when it was pinned in"
                                            : "it is not pinned yet in",
                 lock_name(fleet),
                 *wish
             ),
             false}
        );
    }
    return problems;
}

Result<void> pin_images(store::Changes& changes, const PinStep& step) {
    host::Host& host = changes.store().host();
    for (const fleet::Image* image : images_in_use(step.fleet)) {
        const auto wish = moving_wish(*image);
        if (!wish || kernel::pins_path(step.fleet).empty()) continue;
        auto file = read_lock_file(step.fleet, host);
        if (!file) return tl::unexpected(file.error());
        if (!step.update && pin_of(*image, file->images) != nullptr) continue;
        if (step.progress) step.progress(fmt::format("looking up {}", *wish));
        auto means = look_up(changes, *image, step);
        if (!means) {
            return fail(fmt::format(
                "{}image '{}': {}",
                step.fleet.place(image->where),
                image->name,
                means.error().message
            ));
        }
        if (step.progress) step.progress(fmt::format("{} means {}", *wish, *means));
        file->images[image->name] = kernel::Pin{*wish, std::move(*means)};
        // Each at once: a run that ends before the next fetches none of them again.
        if (auto written = write_lock_file(step.fleet, *file, host); !written) return written;
    }
    return {};
}

std::string packages_in(std::string_view dpkg_status) {
    std::set<std::string> packages;
    std::string name, version;
    bool installed = false;
    const auto end_paragraph = [&] {
        if (installed && !name.empty()) packages.insert(name + " " + version + "\n");
        name.clear();
        version.clear();
        installed = false;
    };
    while (!dpkg_status.empty()) {
        const std::size_t end = std::min(dpkg_status.find('\n'), dpkg_status.size());
        const std::string_view line = dpkg_status.substr(0, end);
        dpkg_status.remove_prefix(std::min(end + 1, dpkg_status.size()));
        if (line.empty()) end_paragraph();
        if (line.starts_with("Package: ")) name = line.substr(9);
        if (line.starts_with("Version: ")) version = line.substr(9);
        if (line.starts_with("Status: ")) installed = line.ends_with(" installed");
    }
    end_paragraph();
    std::string text;
    for (const std::string& package : packages) text += package;
    return text;
}

Result<void> hold_to_packages(
    const fleet::Fleet& fleet, const fleet::Image& image, const Path& root, host::Host& host
) {
    if (!std::holds_alternative<fleet::DebianSource>(image.source)) return {};
    auto file = read_lock_file(fleet, host);
    if (!file) return tl::unexpected(file.error());
    const kernel::Pin* pin = pin_of(image, file->images);
    if (pin == nullptr) return {};
    const auto status = host.read_file_in(root, "var/lib/dpkg/status");
    if (!status) return tl::unexpected(status.error());
    const std::string packages = packages_in(*status);
    const auto count = std::count(packages.begin(), packages.end(), '\n');
    const std::string moment = pin->means.substr(0, pin->means.find(','));
    const std::string means = fmt::format(
        "{}, {} packages{}{}", moment, count, packages_mark, Digest::of(packages).to_string()
    );
    if (pin->means == means) return {};
    if (pin->means.find(packages_mark) != std::string::npos) {
        return fail(fmt::format(
            "image '{}': the package sources have other packages now ({} of them) than the ones of "
            "{} that '{}' pins: `bramble apply --update` takes those of today; to have the old "
            "ones "
            "again, point this machine's /etc/apt at snapshot.debian.org of that day",
            image.name,
            count,
            moment,
            lock_name(fleet)
        ));
    }
    file->images[image.name].means = means;
    return write_lock_file(fleet, *file, host);
}

std::vector<plan::Problem> lock_problems(const fleet::Fleet& fleet, host::Host& host) {
    const auto file = read_lock_file(fleet, host);
    if (!file) return {{{}, file.error().message, true}};
    std::vector<plan::Problem> problems;
    const auto tell = [&](std::string_view kind, const std::string& name, std::string_view what) {
        problems.push_back(
            {{}, fmt::format("'{}' pins {} '{}', {}", lock_name(fleet), kind, name, what), false}
        );
    };
    constexpr std::string_view gone = "which the fleet file does not have: take its line out";
    const auto other = [](const kernel::Pin& pin, const std::optional<std::string>& wish) {
        return wish ? fmt::format(
                          "and for '{}', where the fleet file asks for '{}' now: `bramble apply` "
                          "looks "
                          "it up anew",
                          pin.asked,
                          *wish
                      )
                    : fmt::format(
                          "for '{}', and its source stands still now: take its line out", pin.asked
                      );
    };
    for (const auto& [name, pin] : file->kernels) {
        const fleet::Kernel* kernel = fleet.find_kernel(name);
        if (kernel == nullptr) {
            tell("kernel", name, gone);
        } else if (const auto wish = kernel::moving_wish(*kernel); wish != pin.asked) {
            tell("kernel", name, other(pin, wish));
        }
    }
    for (const auto& [name, pin] : file->images) {
        const fleet::Image* image = fleet.find_image(name);
        if (image == nullptr) {
            tell("image", name, gone);
        } else if (const auto wish = moving_wish(*image); wish != pin.asked) {
            tell("image", name, other(pin, wish));
        }
    }
    return problems;
}

}  // namespace bramble::apply
