// The steps that make boards' roots: copied, given their identity, on this machine or another.
#include <fmt/format.h>

#include "provisioning/apply/step_runner.hpp"
#include "provisioning/host/tree_archive.hpp"
#include "provisioning/root/identity.hpp"
#include "provisioning/root/tree.hpp"

namespace bramble::apply {

using host::Path;
using plan::Step;

std::optional<plan::WantedRoot> StepRunner::wanted_root(const std::string& board) {
    const std::lock_guard lock(mutex_);
    const auto wanted = wanted_.roots.find(board);
    if (wanted == wanted_.roots.end()) return std::nullopt;
    return wanted->second;
}

Result<void> StepRunner::give_identity(
    const std::string& board, const plan::WantedRoot& wanted, const Path& root, host::Sync sync
) {
    constexpr std::uint32_t private_mode = 0700;  // SSH host keys
    const Path kept = paths_.board_identity(board);
    return host_.make_directories_in(paths_.board(board), kept.filename(), private_mode, {})
        .and_then([&] {
            root::DirectoryTree tree(host_, root, sync);
            return root::apply_identity(host_, tree, kept, wanted.identity);
        });
}

Result<void> StepRunner::remember_identity(
    const std::string& board, const plan::WantedRoot& wanted
) {
    return changes_.record_identity(board, wanted.base, root::identity_key(wanted.identity));
}

// Who asks for reflink by name wants to hear when the filesystem refuses.
store::RootMaking StepRunner::making_of(fleet::CopyOnWrite kind, const std::string& board) const {
    const fleet::Board* known = settings_.fleet.find_board(board);
    const fleet::Profile* profile =
        known == nullptr ? nullptr : settings_.fleet.find_profile(known->profile);
    const bool asked =
        profile != nullptr && profile->root.copy_on_write == fleet::CopyOnWrite::reflink;
    return {kind, asked};
}

bool StepRunner::is_current(const std::string& board, const std::string& base) const {
    const auto* entry = seen_.current ? seen_.current->find_board(board) : nullptr;
    return entry != nullptr && entry->root &&
           entry->root->path.filename() == paths_.board_root(board, base).filename();
}

// The root that the board leaves: that of the current generation, else the last that it has.
Result<std::optional<Path>> StepRunner::root_before(
    const std::string& board, const std::string& base
) {
    std::optional<std::string> before;
    const auto trees = seen_.board_roots.find(board);
    if (trees == seen_.board_roots.end()) return std::nullopt;
    for (const plan::BoardRoot& tree : trees->second) {
        if (tree.base == base) continue;
        const bool current = is_current(board, tree.base);
        if (!before || current) before = tree.base;
        if (current) break;
    }
    if (!before) return std::nullopt;
    return changes_.board_root_to_write(board, *before).map([](Path&& path) {
        return std::optional<Path>(std::move(path));
    });
}

Result<void> StepRunner::keep_changes(
    const std::string& board, const std::string& base, const Path& to, const Telling& telling
) {
    const fleet::Board* known = settings_.fleet.find_board(board);
    const auto& settings = settings_.fleet.find_profile(known->profile)->root;
    if (settings.on_base_change != fleet::OnBaseChange::keep) return {};
    const auto from = root_before(board, base);
    if (!from) return tl::unexpected(from.error());
    if (!*from) return {};
    const auto& carry_over = settings_.options.carry_over;
    for (const std::string& path : settings.keep) {
        const auto carried = carry_over ? carry_over(host_, **from, to, path, telling.stop)
                                        : host::carry_over(host_, **from, to, path, telling.stop);
        if (!carried) return tl::unexpected(carried.error());
        telling.progress(
            *carried ? fmt::format("kept {}", path) : fmt::format("it has no {} to keep", path)
        );
    }
    return {};
}

Result<void> StepRunner::copy_root(const Step& step, const Telling& telling) {
    const std::string& board = step.subject;
    const auto wanted = wanted_root(board);
    if (!wanted) {  // its image turned out to have boot files only
        telling.progress("its image has no root tree");
        return {};
    }
    const std::string& base = wanted->base;
    if (const auto nas = on_nas(telling)) {
        return write_nas_root(*nas, board, base, wanted->identity).and_then([&] {
            return remember_identity(board, *wanted);
        });
    }
    const store::RootMaking making = making_of(step.copy_on_write, board);
    const auto staged = changes_.stage_board_root(board, base, making, telling.stop);
    if (!staged) return tl::unexpected(staged.error());
    // Adopting it syncs it as a whole.
    return keep_changes(board, base, staged->tree, telling)
        .and_then([&] { return give_identity(board, *wanted, staged->tree, host::Sync::later); })
        .and_then([&] { return changes_.adopt_board_root(board, base, *staged); })
        .and_then([&] { return remember_identity(board, *wanted); })
        .and_then([&]() -> Result<void> {
            if (!is_current(board, base)) return {};  // the link follows when it is published
            return changes_.point_board_root(board, base);
        });
}

Result<void> StepRunner::write_identity(const Step& step, const Telling& telling) {
    const std::string& board = step.subject;
    const auto wanted = wanted_root(board);
    if (!wanted) return {};
    if (const auto nas = on_nas(telling)) {
        return write_nas_identity(*nas, board, wanted->base, wanted->identity).and_then([&] {
            return remember_identity(board, *wanted);
        });
    }
    return changes_.board_root_to_write(board, wanted->base)
        .and_then([&](const Path& root) {
            return give_identity(board, *wanted, root, host::Sync::now);
        })
        .and_then([&] { return remember_identity(board, *wanted); });
}

// ---- roots on another machine

std::optional<NasWork> StepRunner::on_nas(const Telling& telling) const {
    const auto* nas = std::get_if<fleet::NfsExternal>(&settings_.fleet.appliance.nfs);
    if (nas == nullptr) return std::nullopt;
    return NasWork{
        host_,
        paths_,
        *nas,
        settings_.options.open_nas,
        telling.progress,
        settings_.on_warning,
        telling.stop};
}

Result<void> StepRunner::write_shared_root(const Step& step, const Telling& telling) {
    std::map<std::string, std::string> shared;
    std::set<std::string> there;
    {
        const std::lock_guard lock(mutex_);
        shared = wanted_.shared;
        there = seen_.nas_bases;
    }
    const auto done = write_nas_bases(*on_nas(telling), shared, step.key, there);
    const std::lock_guard lock(mutex_);
    seen_.nas_bases.merge(there);
    return done;
}

}  // namespace bramble::apply
