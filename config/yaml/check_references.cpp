#include <fmt/format.h>

#include <vector>

#include "config/types/text.hpp"
#include "config/yaml/checks.hpp"

namespace bramble::yaml {
namespace {

using namespace fleet;

// "unknown image 'lit' (did you mean 'lite'?)", or the names there are.
template <typename T>
std::string unknown_name(
    std::string_view what, std::string_view name, const std::vector<T>& known
) {
    constexpr std::size_t listed_max = 8;
    const std::string message = fmt::format("unknown {} '{}'", what, name);
    if (known.empty()) return fmt::format("{} (there is none: add it under `{}s:`)", message, what);
    std::vector<std::string_view> names;
    for (const T& one : known) names.push_back(one.name);
    if (const auto near = nearest(name, names))
        return fmt::format("{} (did you mean '{}'?)", message, *near);
    if (names.size() > listed_max) return fmt::format("{} (add it under `{}s:`)", message, what);
    return fmt::format("{} (known: {})", message, fmt::join(names, ", "));
}

bool has_root(const Image& image) {
    const auto* directory = std::get_if<DirectorySource>(&image.source);
    return directory == nullptr || directory->root.has_value();
}

void check_kernel(
    Checking& checking, const Profile& profile, const Image* image, const std::string& path
) {
    const Kernel* kernel = checking.fleet.find_kernel(*profile.kernel);
    const SourceLocation where = checking.at(path + ".kernel", profile.where);
    if (kernel == nullptr) {
        checking.diagnostics.error(
            where, unknown_name("kernel", *profile.kernel, checking.fleet.kernels)
        );
        return;
    }
    const auto* debian = image == nullptr ? nullptr : std::get_if<DebianSource>(&image->source);
    if (debian != nullptr && debian->arch == "arm64" && kernel->arch == KernelArch::arm) {
        checking.diagnostics.error(
            where,
            fmt::format(
                "kernel '{}' is for arm and cannot run the arm64 programs of image '{}' (give the "
                "image arch: armhf, or the kernel arch: arm64)",
                kernel->name,
                image->name
            )
        );
    }
}

void check_root(Checking& checking, Profile& profile, const Image& image, const std::string& path) {
    if (has_root(image) || profile.root.mode == RootMode::none) return;
    if (!checking.said(path + ".root.mode")) {
        profile.root.mode = RootMode::none;
        return;
    }
    checking.diagnostics.error(
        checking.at(path + ".root.mode", profile.where),
        fmt::format(
            "image '{}' has no root to give (add `root:` to its directory source, or write mode: "
            "none)",
            image.name
        )
    );
}

// Boards that enrol themselves have no address of their own.
void check_enrolment(Checking& checking) {
    const Appliance& appliance = checking.fleet.appliance;
    const auto* enroll = std::get_if<EnrollUnknown>(&appliance.unknown_boards);
    if (enroll == nullptr) return;
    const SourceLocation where = checking.at("appliance.unknown_boards.enroll", appliance.where);
    if (checking.fleet.find_profile(enroll->profile) == nullptr) {
        checking.diagnostics.error(
            where, unknown_name("profile", enroll->profile, checking.fleet.profiles)
        );
    }
    if (appliance.dhcp.mode == DhcpMode::authoritative && !checking.said("appliance.dhcp.pool")) {
        checking.diagnostics.error(
            where,
            "boards that enroll need addresses, and there is no pool (add dhcp: {pool: {from:, "
            "to:}})"
        );
    }
}

}  // namespace

void check_references(Checking& checking) {
    Fleet& fleet = checking.fleet;
    for (std::size_t i = 0; i < fleet.profiles.size(); ++i) {
        Profile& profile = fleet.profiles[i];
        const std::string path = fmt::format("profiles[{}]", i);
        const Image* image = fleet.find_image(profile.image);
        if (image != nullptr) check_root(checking, profile, *image, path);
        if (image == nullptr && !profile.image.empty()) {
            checking.diagnostics.error(
                checking.at(path + ".image", profile.where),
                unknown_name("image", profile.image, fleet.images)
            );
        }
        if (profile.kernel) check_kernel(checking, profile, image, path);
    }
    for (std::size_t i = 0; i < fleet.boards.size(); ++i) {
        const Board& board = fleet.boards[i];
        if (board.profile.empty() || fleet.find_profile(board.profile) != nullptr) continue;
        checking.diagnostics.error(
            checking.at(fmt::format("boards[{}].profile", i), board.where),
            unknown_name("profile", board.profile, fleet.profiles)
        );
    }
    check_enrolment(checking);
}

}  // namespace bramble::yaml
