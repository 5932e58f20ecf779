#include "provisioning/kernel/pins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace bramble::kernel {
namespace {

namespace json = boost::json;

constexpr std::int64_t format = 1;

bool is_url(std::string_view location) {
    return location.find("://") != std::string_view::npos;
}

std::string text_of(const json::object& object, std::string_view key) {
    return std::string(std::string_view(object.at(key).as_string()));
}

Pins parse_pins(const json::object& written) {
    Pins pins;
    for (const auto& [name, pin] : written) {
        const json::object& one = pin.as_object();
        pins[std::string(std::string_view(name))] =
            Pin{text_of(one, "asked"), text_of(one, "means")};
    }
    return pins;
}

std::string write_pins(const Pins& pins) {
    std::string text;
    for (const auto& [name, pin] : pins) {
        text += fmt::format(
            "{}\n  {}: {{\"asked\": {}, \"means\": {}}}",
            text.empty() ? "" : ",",
            json::serialize(json::string(name)),
            json::serialize(json::string(pin.asked)),
            json::serialize(json::string(pin.means))
        );
    }
    return text + "\n}";
}

struct Wish {
    const fleet::Kernel& kernel;

    std::optional<std::string> operator()(const fleet::GitSource& git) const {
        if (is_whole_commit(git.commit)) return std::nullopt;
        return fmt::format("git {} branch {}", git.url, git.branch.empty() ? "HEAD" : git.branch);
    }

    std::optional<std::string> operator()(const fleet::PathSource& /*path*/) const {
        return std::nullopt;
    }

    std::optional<std::string> operator()(const fleet::ArchiveSource& archive) const {
        if (archive.sha256 || !is_url(archive.location)) return std::nullopt;
        return "archive " + archive.location;
    }

    std::optional<std::string> operator()(const fleet::DebSource& deb) const {
        const bool wide = kernel.arch == fleet::KernelArch::arm64;
        return fmt::format("deb {} for {}", deb.package, wide ? "arm64" : "armhf");
    }
};

}  // namespace

std::filesystem::path pins_path(const fleet::Fleet& fleet) {
    if (fleet.sources.empty()) return {};
    std::filesystem::path path = fleet.sources.front().path;
    return path.replace_extension(".lock");
}

bool is_whole_commit(std::string_view text) {
    return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Result<LockFile> parse_lock_file(std::string_view text) {
    try {
        const json::value parsed = json::parse(text);
        const json::object& written = parsed.as_object();
        if (written.at("format").to_number<std::int64_t>() != format) {
            return fail("it was written by another version");
        }
        LockFile file;
        file.kernels = parse_pins(written.at("kernels").as_object());
        if (const auto* images = written.if_contains("images")) {
            file.images = parse_pins(images->as_object());
        }
        return file;
    } catch (const std::exception& problem) {  // Boost.JSON throws: one answer for all of it
        return fail(fmt::format("it is no lock file ({})", problem.what()));
    }
}

// One pin a line, so that a difference between two versions of the file can be read.
std::string write_lock_file(const LockFile& file) {
    std::string text =
        fmt::format("{{\"format\": {}, \"kernels\": {{{}", format, write_pins(file.kernels));
    if (!file.images.empty()) text += fmt::format(", \"images\": {{{}", write_pins(file.images));
    return text + "}\n";
}

std::optional<std::string> moving_wish(const fleet::Kernel& kernel) {
    return std::visit(Wish{kernel}, kernel.source);
}

std::optional<std::string> meaning(const fleet::Kernel& kernel, const Pins& pins) {
    const auto pin = pins.find(kernel.name);
    if (pin == pins.end() || pin->second.asked != moving_wish(kernel)) return std::nullopt;
    return pin->second.means;
}

}  // namespace bramble::kernel
