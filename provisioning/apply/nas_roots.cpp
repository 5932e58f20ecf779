#include "provisioning/apply/nas_roots.hpp"

#include <fmt/format.h>

#include <chrono>

#include "config/types/text.hpp"
#include "provisioning/apply/nas_marks.hpp"
#include "provisioning/apply/nas_owner.hpp"
#include "provisioning/apply/nas_place.hpp"
#include "provisioning/apply/nas_tree.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::apply {
namespace {

using host::Path;

constexpr std::chrono::seconds progress_pause{1};

// This store's own directory there.
Result<std::unique_ptr<nfs::Nas>> open_own(const NasWork& work) {
    auto nas = open_nas(work.open, work.nas.server, work.nas.path, work.stop);
    if (!nas) return nas;
    const auto claimed = claim_nas(work.host, work.paths, **nas, work.nas.place());
    if (!claimed) return tl::unexpected(claimed.error());
    return nas;
}

Path making_of(const Path& tree) {
    return tree.parent_path() / (std::string(nas_making_prefix) + tree.filename().string());
}

// What runs that were killed left beside a tree.
Result<void> clear_beside(nfs::Nas& nas, const Path& tree, const Path& but) {
    const auto there = nas.status("", tree.parent_path());
    if (!there) return tl::unexpected(there.error());
    if (!*there) return {};
    const auto names = nas.list("", tree.parent_path());
    if (!names) return tl::unexpected(names.error());
    for (const auto& [name, kind] : *names) {
        const bool half =
            name.starts_with(nas_making_prefix) || name.starts_with(nas_leaving_prefix);
        if (!half || name == but.filename().string()) continue;
        if (auto gone = nas.remove("", tree.parent_path() / name); !gone) return gone;
    }
    return {};
}

nfs::WriteOptions write_options(const NasWork& work) {
    nfs::WriteOptions options;
    options.stop = work.stop;
    options.on_progress = [&work, last = std::chrono::steady_clock::now()](
                              std::uint64_t entries, std::uint64_t of, std::uint64_t bytes
                          ) mutable {
        const auto now = std::chrono::steady_clock::now();
        if (now - last < progress_pause) return;
        last = now;
        work.progress(
            fmt::format("{} of {} files and directories, {}", entries, of, describe_bytes(bytes))
        );
    };
    return options;
}

// Writes the tree aside, unless it is there whole.
Result<bool> write_aside(
    const NasWork& work,
    nfs::Nas& nas,
    const std::string& base,
    const Path& tree,
    const std::optional<nfs::SeenTree>& before = {}
) {
    const auto there = nas.status("", tree);
    if (!there) return tl::unexpected(there.error());
    if (*there) return false;
    const Path aside = making_of(tree);
    if (auto cleared = clear_beside(nas, tree, aside); !cleared)
        return tl::unexpected(cleared.error());
    const auto begun = std::chrono::steady_clock::now();
    nfs::WriteOptions options = write_options(work);
    options.before = before;
    const auto written = nas.write_tree(work.paths.root(base), aside, options);
    if (!written) return tl::unexpected(written.error());
    const auto took =
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begun);
    work.progress(fmt::format(
        "{} of {} entries written to {}{}, {} in {}",
        written->made,
        written->entries,
        work.nas.place(),
        written->linked == 0 ? "" : fmt::format(", {} by another name", written->linked),
        describe_bytes(written->bytes),
        describe(took)
    ));
    if (!written->lost.empty())
        work.warn(fmt::format("root {} on {}: {}", base, work.nas.place(), written->lost));
    return true;
}

Result<void> give_identity(
    const NasWork& work,
    nfs::Nas& nas,
    const std::string& board,
    const Path& tree,
    const root::Identity& identity
) {
    constexpr std::uint32_t private_mode = 0700;  // SSH host keys
    const Path kept = work.paths.board_identity(board);
    return work.host.make_directories(work.paths.board(board))
        .and_then([&] {
            return work.host.make_directories_in(
                work.paths.board(board), kept.filename(), private_mode, {}
            );
        })
        .and_then([&] {
            NasTree there(nas, tree);
            return root::apply_identity(work.host, there, kept, identity);
        });
}

// The shared base that came there last: what the new one has in common with it is there already,
// and no board may write to either.
Result<std::optional<nfs::SeenTree>> base_before(
    const NasWork& work, const std::set<std::string>& there
) {
    std::optional<nfs::SeenTree> before;
    std::int64_t newest = 0;
    for (const std::string& base : there) {
        const Path here = work.paths.root(base);
        const auto mark = work.host.status(nas_mark(here));
        if (!mark) return tl::unexpected(mark.error());
        if (!*mark || (before && (*mark)->modified_ns < newest)) continue;
        newest = (*mark)->modified_ns;
        before = nfs::SeenTree{here, on_nas(work.paths, here)};
    }
    return before;
}

Result<void> write_base(
    const NasWork& work, const std::string& base, const std::set<std::string>& others
) {
    auto nas = open_own(work);
    if (!nas) return tl::unexpected(nas.error());
    const Path tree = on_nas(work.paths, work.paths.root(base));
    const auto before = base_before(work, others);
    if (!before) return tl::unexpected(before.error());
    const auto fresh = write_aside(work, **nas, base, tree, *before);
    if (!fresh) return tl::unexpected(fresh.error());
    Result<void> moved;
    if (*fresh) moved = (*nas)->rename(making_of(tree), tree);
    return moved.and_then([&] {
        return NasMarks(work.host, work.paths).add(work.paths.root(base), work.nas.place());
    });
}

}  // namespace

Result<void> write_nas_root(
    const NasWork& work,
    const std::string& board,
    const std::string& base,
    const root::Identity& identity
) {
    auto nas = open_own(work);
    if (!nas) return tl::unexpected(nas.error());
    const Path here = work.paths.board_root(board, base);
    const Path tree = on_nas(work.paths, here);
    const auto fresh = write_aside(work, **nas, base, tree);
    if (!fresh) return tl::unexpected(fresh.error());
    const Path at = *fresh ? making_of(tree) : tree;
    if (!*fresh) work.progress("it is there whole: only the board's identity is written");
    return give_identity(work, **nas, board, at, identity)
        .and_then([&]() -> Result<void> {
            if (!*fresh) return {};
            return (*nas)->rename(at, tree);
        })
        .and_then([&] { return NasMarks(work.host, work.paths).add(here, work.nas.place()); });
}

Result<void> write_nas_identity(
    const NasWork& work,
    const std::string& board,
    const std::string& base,
    const root::Identity& identity
) {
    auto nas = open_own(work);
    if (!nas) return tl::unexpected(nas.error());
    const Path tree = on_nas(work.paths, work.paths.board_root(board, base));
    return give_identity(work, **nas, board, tree, identity);
}

Result<void> write_nas_bases(
    const NasWork& work,
    const std::map<std::string, std::string>& image_of_base,
    const Digest& step,
    std::set<std::string>& there
) {
    for (const auto& [base, image] : image_of_base) {
        const Digest key = plan::shared_root_step_key(work.nas.place(), base);
        if (key != step || there.contains(base)) continue;
        if (auto done = write_base(work, base, there); !done) return done;
        there.insert(base);
    }
    return {};
}

}  // namespace bramble::apply
