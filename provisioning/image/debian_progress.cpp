#include "provisioning/image/debian_progress.hpp"

#include <fmt/format.h>

namespace bramble::image {

namespace {

constexpr std::size_t step = 10;  // packages between two lines

std::optional<std::string> count_up(
    std::size_t& count, std::string_view doing, std::string_view package
) {
    if (++count % step != 0) return std::nullopt;
    return fmt::format(
        "{} package {}: {}", doing, count, package.substr(0, package.find_first_of(" :"))
    );
}

}  // namespace

std::optional<std::string> DebianProgress::on_line(std::string_view line) {
    const auto after = [&](std::string_view begin) {
        const bool does = line.starts_with(begin);
        if (does) line.remove_prefix(begin.size());
        return does;
    };
    if (after("I: ")) {
        if (line.starts_with("running apt-get update")) return "reading the package lists";
        if (line.starts_with("downloading packages")) return "downloading the base system";
        if (line.starts_with("extracting archives")) return "unpacking the base system";
        if (line.starts_with("installing essential")) return "installing the base system";
        if (line.starts_with("installing remaining")) return "installing the image's packages";
        return std::nullopt;
    }
    if (after("Unpacking ")) return count_up(unpacked_, "unpacking", line);
    if (after("Setting up ")) return count_up(set_up_, "setting up", line);
    if (line.starts_with("Fetched ")) return "downloaded: " + std::string(line);
    if (line.starts_with("E: ") || line.starts_with("Err:")) return std::string(line);
    return std::nullopt;
}

}  // namespace bramble::image
