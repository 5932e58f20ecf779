#include "provisioning/plan/scope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/layout/manifest.hpp"

namespace bramble::plan {
namespace {

bool can_reflink(std::string_view filesystem) {
    return filesystem == "xfs" || filesystem == "btrfs";
}

void check_profile(
    const fleet::Profile& profile, std::string_view filesystem, std::vector<Problem>& problems
) {
    const auto add = [&](bool fatal, std::string_view what) {
        problems.push_back(
            {profile.where, fmt::format("profile '{}': {}", profile.name, what), fatal}
        );
    };
    if (profile.kernel) {
        add(true,
            "this version builds no kernels: leave kernel: out to boot the image's own, or put a "
            "kernel of yours under boot_files:");
    }
    if (profile.root.mode == fleet::RootMode::shared) {
        add(true,
            "this version makes no shared roots: set root: {mode: per-board}, or {mode: none} for "
            "boot files only");
    }
    const auto wish = profile.root.copy_on_write;
    if (wish == fleet::CopyOnWrite::btrfs || wish == fleet::CopyOnWrite::overlay) {
        add(false,
            "this version makes neither snapshots nor overlays: its roots are made as with "
            "copy_on_write: auto");
    }
    if (wish == fleet::CopyOnWrite::reflink && !filesystem.empty() && !can_reflink(filesystem)) {
        add(true,
            fmt::format(
                "copy_on_write: reflink needs the store on xfs or btrfs, and it is on {}: put it "
                "on one of them, or leave copy_on_write out",
                filesystem
            ));
    }
    for (const auto& [path, source] : profile.boot_files) {
        if (layout::is_boot_path(path)) continue;
        add(true,
            fmt::format(
                "boot_files: '{}' is no path that a board can ask for: write it relative, with "
                "'/', without '..'",
                path
            ));
    }
}

}  // namespace

std::vector<const fleet::Profile*> profiles_in_use(const fleet::Fleet& fleet) {
    std::set<std::string> names;
    for (const fleet::Board& board : fleet.boards) names.insert(board.profile);
    if (const auto* enroll = std::get_if<fleet::EnrollUnknown>(&fleet.appliance.unknown_boards)) {
        names.insert(enroll->profile);
    }
    std::vector<const fleet::Profile*> used;
    for (const fleet::Profile& profile : fleet.profiles) {
        if (names.contains(profile.name)) used.push_back(&profile);
    }
    return used;
}

fleet::CopyOnWrite copy_on_write_on(std::string_view filesystem, const fleet::Profile& profile) {
    using Kind = fleet::CopyOnWrite;
    const Kind wish = profile.root.copy_on_write;
    if (wish == Kind::copy || wish == Kind::reflink) return wish;
    return can_reflink(filesystem) ? Kind::reflink : Kind::copy;
}

std::vector<Problem> unsupported(const fleet::Fleet& fleet, std::string_view filesystem) {
    std::vector<Problem> problems;
    for (const fleet::Profile* profile : profiles_in_use(fleet)) {
        check_profile(*profile, filesystem, problems);
    }
    for (const fleet::Board& board : fleet.boards) {
        if (layout::is_boot_path(board.name) && board.name.find('/') == std::string::npos) continue;
        problems.push_back(
            {board.where,
             fmt::format("board name '{}' cannot be a directory's: rename it", board.name),
             true}
        );
    }
    // Two profiles may share an image: its problem is one.
    std::vector<Problem> once;
    for (Problem& problem : problems) {
        if (std::find(once.begin(), once.end(), problem) == once.end()) {
            once.push_back(std::move(problem));
        }
    }
    if (std::holds_alternative<fleet::NfsExternal>(fleet.appliance.nfs)) {
        once.push_back(
            {fleet.appliance.where,
             "nfs: external: this version writes roots below the store only: have that server "
             "export the store's boards/ directory under its path",
             false}
        );
    }
    return once;
}

}  // namespace bramble::plan
