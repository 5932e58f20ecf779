// What a step that failed leaves undone: the boards that need it keep what they have, and nothing
// is published that names what is not there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "provisioning/apply/nas_place.hpp"
#include "provisioning/apply/step_runner.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::apply {

using plan::Step;
using plan::StepKind;

// A plan has one step for what several profiles need, and names one of them: keys tell, names do
// not. With the lock held.
bool StepRunner::needs(const fleet::Profile& profile, const Step& step) const {
    const auto base_has = [&](const auto& key_of) {
        const auto base = plan::base_of(settings_.fleet, seen_, profile);
        return base && key_of(base->key) == step.key;
    };
    const bool shared = profile.root.mode == fleet::RootMode::shared;
    const auto loads = [&](const auto& file) {
        const auto seen = seen_.boot_files.find(file.second);
        return seen != seen_.boot_files.end() && seen->second.digest == step.key;
    };
    const auto place = nas_place(settings_.fleet);
    switch (step.kind) {
        case StepKind::ingest_image:
        case StepKind::customize_image:
            return profile.image == step.subject;
        case StepKind::build_kernel:
            return profile.kernel == step.subject;
        case StepKind::install_kernel:
            return base_has([](const Digest& key) { return key; });
        case StepKind::store_file:
            return std::any_of(profile.boot_files.begin(), profile.boot_files.end(), loads);
        case StepKind::make_initramfs:
            return shared && base_has([](const Digest& key) {
                       return plan::initramfs_step_key(plan::root_name(key));
                   });
        case StepKind::write_shared_root:
            return shared && base_has([&](const Digest& key) {
                       return plan::shared_root_step_key(*place, plan::root_name(key));
                   });
        default:
            return true;
    }
}

std::set<std::string> StepRunner::boards_of(const Step& step) {
    const bool of_board = step.kind == StepKind::copy_root ||
                          step.kind == StepKind::write_identity ||
                          step.kind == StepKind::pack_identity;
    if (of_board) return {step.subject};
    const std::lock_guard lock(mutex_);
    std::set<std::string> boards;
    for (const fleet::Board& board : settings_.fleet.boards) {
        const fleet::Profile* profile = settings_.fleet.find_profile(board.profile);
        if (profile != nullptr && needs(*profile, step)) boards.insert(board.name);
    }
    return boards;
}

void StepRunner::hold(const std::set<std::string>& boards) {
    const std::lock_guard lock(mutex_);
    seen_.held.insert(boards.begin(), boards.end());
    stale_ = true;
}

// What is as it was is served already.
Result<void> StepRunner::refuse_missing(const layout::Manifest& manifest) const {
    layout::Manifest fresh = manifest;
    if (seen_.current) {
        const auto& before = seen_.current->trees;
        std::erase_if(fresh.trees, [&](const auto& tree) {
            return std::any_of(before.begin(), before.end(), [&](const auto& old) {
                return old.second == tree.second;
            });
        });
        std::erase_if(fresh.boards, [&](layout::BoardEntry& board) {
            const auto* old = seen_.current->find_board(board.name);
            if (old != nullptr) board.tree = old->tree;
            return old != nullptr && *old == board;
        });
    }
    const auto missing = changes_.store().missing(fresh);
    if (!missing) return tl::unexpected(missing.error());
    if (missing->empty()) return {};
    return fail(fmt::format(
        "the store has not all that boards would get, {}: run apply again",
        fmt::join(*missing, "; ")
    ));
}

}  // namespace bramble::apply
