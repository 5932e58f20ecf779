#include "provisioning/plan/scope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/layout/manifest.hpp"
#include "provisioning/plan/copy_on_write.hpp"

namespace bramble::plan {
namespace {

void check_profile(
    const fleet::Fleet& fleet,
    const fleet::Profile& profile,
    const Observed& observed,
    std::vector<Problem>& problems
) {
    const auto add = [&](bool fatal, std::string_view what) {
        problems.push_back(
            {profile.where, fmt::format("profile '{}': {}", profile.name, what), fatal}
        );
    };
    const bool external = std::holds_alternative<fleet::NfsExternal>(fleet.appliance.nfs);
    if (external && profile.root.on_base_change == fleet::OnBaseChange::keep) {
        add(true,
            "root: {on_base_change: keep} carries changes over from one root of this machine to "
            "another, and with nfs: external they are on the NAS: set on_base_change: reset, and "
            "keep what matters outside of the roots");
    }
    const auto of_copies = copy_on_write_problems(fleet, profile, observed);
    problems.insert(problems.end(), of_copies.begin(), of_copies.end());
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

std::vector<Problem> unsupported(const fleet::Fleet& fleet, const Observed& observed) {
    std::vector<Problem> problems;
    for (const fleet::Profile* profile : profiles_in_use(fleet)) {
        check_profile(fleet, *profile, observed, problems);
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
    return once;
}

}  // namespace bramble::plan
