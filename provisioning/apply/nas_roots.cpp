#include "provisioning/apply/nas_roots.hpp"

#include <fmt/format.h>

#include <chrono>

#include "config/types/text.hpp"
#include "provisioning/apply/nas_owner.hpp"
#include "provisioning/apply/nas_tree.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::apply {
namespace {

using host::Path;

constexpr std::string_view mark_suffix = ".nas";
// Beside the tree that is in use: half-made, and half taken apart.
constexpr std::string_view making_prefix = ".new.";
constexpr std::string_view leaving_prefix = ".gone.";
constexpr char leaving_sign = '-';
constexpr std::chrono::seconds progress_pause{1};

Path mark_of(const Path& tree) {
    Path mark = tree;
    mark += mark_suffix;
    return mark;
}

Result<std::unique_ptr<nfs::Nas>> open_nas(
    const nfs::NasOpener& open, const std::string& server, const Path& path
) {
    if (open) return open(server, path);
    return nfs::Nas::open(server, path);
}

std::string place_of(const fleet::NfsExternal& nas) {
    return nas.server + ":" + nas.path.string();
}

// This store's own directory there.
Result<std::unique_ptr<nfs::Nas>> open_nas(const NasWork& work) {
    auto nas = open_nas(work.open, work.nas.server, work.nas.path);
    if (!nas) return nas;
    (*nas)->heed(work.stop);
    const auto claimed = claim_nas(work.host, work.paths, **nas, place_of(work.nas));
    if (!claimed) return tl::unexpected(claimed.error());
    return nas;
}

// Where a tree of the store lies below the export.
Path on_nas(const layout::StorePaths& paths, const Path& tree) {
    return tree.lexically_relative(paths.store());
}

Path making_of(const Path& tree) {
    return tree.parent_path() / (std::string(making_prefix) + tree.filename().string());
}

// What runs that were killed left beside a tree.
Result<void> clear_beside(nfs::Nas& nas, const Path& tree, const Path& but) {
    const auto there = nas.status("", tree.parent_path());
    if (!there) return tl::unexpected(there.error());
    if (!*there) return {};
    const auto names = nas.list("", tree.parent_path());
    if (!names) return tl::unexpected(names.error());
    for (const auto& [name, kind] : *names) {
        const bool half = name.starts_with(making_prefix) || name.starts_with(leaving_prefix);
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
        place_of(work.nas),
        written->linked == 0 ? "" : fmt::format(", {} by another name", written->linked),
        describe_bytes(written->bytes),
        describe(took)
    ));
    if (!written->lost.empty())
        work.warn(fmt::format("root {} on {}: {}", base, place_of(work.nas), written->lost));
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
        const auto mark = work.host.status(mark_of(here));
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
    auto nas = open_nas(work);
    if (!nas) return tl::unexpected(nas.error());
    const Path tree = on_nas(work.paths, work.paths.root(base));
    const auto before = base_before(work, others);
    if (!before) return tl::unexpected(before.error());
    const auto fresh = write_aside(work, **nas, base, tree, *before);
    if (!fresh) return tl::unexpected(fresh.error());
    Result<void> moved;
    if (*fresh) moved = (*nas)->rename(making_of(tree), tree);
    return moved.and_then([&] {
        return NasMarks(work.host, work.paths).add(work.paths.root(base), place_of(work.nas));
    });
}

}  // namespace

std::optional<std::string> nas_place(const fleet::Fleet& fleet) {
    const auto* nas = std::get_if<fleet::NfsExternal>(&fleet.appliance.nfs);
    if (nas == nullptr) return std::nullopt;
    return place_of(*nas);
}

// ---- marks

Result<NasMarks::Mark> NasMarks::read(const Path& tree) const {
    Mark mark;
    const auto there = host_.status(mark_of(tree));
    if (!there) return tl::unexpected(there.error());
    if (!*there) return mark;
    const auto text = host_.read_file(mark_of(tree), 1U << 16U);
    if (!text) return tl::unexpected(text.error());
    for (std::string_view rest = *text; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        const bool whole = !line.starts_with(leaving_sign);
        if (!whole) line.remove_prefix(1);
        if (!line.empty()) mark.emplace(line, whole);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return mark;
}

Result<void> NasMarks::write(const Path& tree, const Mark& mark) {
    std::string text;
    for (const auto& [place, whole] : mark) {
        if (!whole) text += leaving_sign;
        text += place + "\n";
    }
    return host_.write_file(mark_of(tree), text);
}

Result<std::set<std::string>> NasMarks::places(const Path& tree) const {
    return read(tree).map([](const Mark& mark) {
        std::set<std::string> places;
        for (const auto& [place, whole] : mark) {
            if (whole) places.insert(place);
        }
        return places;
    });
}

Result<std::set<std::string>> NasMarks::all_places(const Path& tree) const {
    return read(tree).map([](const Mark& mark) {
        std::set<std::string> places;
        for (const auto& [place, whole] : mark) places.insert(place);
        return places;
    });
}

Result<void> NasMarks::add(const Path& tree, const std::string& place) {
    auto mark = read(tree);
    if (!mark) return tl::unexpected(mark.error());
    (*mark)[place] = true;
    // The mark first: a directory without one would be a root of this machine.
    return host_.make_directories(tree.parent_path())
        .and_then([&] { return write(tree, *mark); })
        .and_then([&] { return host_.make_directories(tree); });
}

Result<void> NasMarks::withdraw(const Path& tree, const std::string& place) {
    auto mark = read(tree);
    if (!mark) return tl::unexpected(mark.error());
    (*mark)[place] = false;
    return write(tree, *mark);
}

Result<void> NasMarks::remove(const Path& tree) {
    return host_.remove_all(mark_of(tree));
}

Result<std::vector<plan::BoardRoot>> NasMarks::served(
    std::string_view board,
    std::vector<plan::BoardRoot> roots,
    const std::optional<std::string>& place
) const {
    std::vector<plan::BoardRoot> kept;
    for (plan::BoardRoot& root : roots) {
        const Path tree = paths_.board_root(board, root.base);
        const auto marked = places(tree);
        if (!marked) return tl::unexpected(marked.error());
        const auto ever = all_places(tree);
        if (!ever) return tl::unexpected(ever.error());
        bool there = place && marked->contains(*place);
        if (!place && ever->empty()) there = true;
        if (!place && !ever->empty()) {
            const auto inside = host_.list(tree);
            if (!inside) return tl::unexpected(inside.error());
            there = !inside->empty();
        }
        if (there) kept.push_back(std::move(root));
    }
    return kept;
}

// ---- writing and removing

Result<void> write_nas_root(
    const NasWork& work,
    const std::string& board,
    const std::string& base,
    const root::Identity& identity
) {
    auto nas = open_nas(work);
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
        .and_then([&] { return NasMarks(work.host, work.paths).add(here, place_of(work.nas)); });
}

Result<void> write_nas_identity(
    const NasWork& work,
    const std::string& board,
    const std::string& base,
    const root::Identity& identity
) {
    auto nas = open_nas(work);
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
        const Digest key = plan::shared_root_step_key(place_of(work.nas), base);
        if (key != step || there.contains(base)) continue;
        if (auto done = write_base(work, base, there); !done) return done;
        there.insert(base);
    }
    return {};
}

namespace {

Result<void> remove_from(const NasRemoval& removal, const Path& tree, const std::string& place) {
    const auto colon = place.find(":/");
    if (colon == std::string::npos) return {};
    auto nas = open_nas(removal.open, place.substr(0, colon), place.substr(colon + 1));
    if (!nas) return tl::unexpected(nas.error());
    auto claimed = claim_nas(removal.host, removal.paths, **nas, place);
    if (!claimed) return claimed;
    const Path there = on_nas(removal.paths, tree);
    const Path aside =
        there.parent_path() / (std::string(leaving_prefix) + there.filename().string());
    const auto found = (*nas)->status("", there);
    if (!found) return tl::unexpected(found.error());
    // Nobody counts on it any more, then from one moment to the next it is not there under its
    // name.
    if (*found) {
        auto gone = NasMarks(removal.host, removal.paths)
                        .withdraw(tree, place)
                        .and_then([&] { return (*nas)->remove("", aside); })
                        .and_then([&] { return (*nas)->rename(there, aside); });
        if (!gone) return gone;
    }
    return (*nas)->remove("", aside);
}

}  // namespace

Result<void> remove_nas_tree(NasRemoval& removal, const Path& tree) {
    const auto places = NasMarks(removal.host, removal.paths).all_places(tree);
    if (!places) return tl::unexpected(places.error());
    for (const std::string& place : *places) {
        if (removal.given_up.contains(place)) continue;
        auto gone = remove_from(removal, tree, place);
        if (gone) continue;
        // Of the fleet's own NAS the next run finds it again; one that was retired never answers.
        if (place == removal.present) {
            return fail(fmt::format(
                "{} (it is asked because '{}' names it)",
                gone.error().message,
                mark_of(tree).string()
            ));
        }
        removal.given_up.insert(place);
        removal.warn(fmt::format(
            "{} is not the fleet's NAS any more and cannot be cleaned: {}; trees of this store "
            "may be left below its roots/ and boards/: remove them there by hand",
            place,
            gone.error().message
        ));
    }
    return {};
}

}  // namespace bramble::apply
