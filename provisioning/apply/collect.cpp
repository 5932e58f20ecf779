#include "provisioning/apply/collect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "provisioning/apply/image_pins.hpp"
#include "provisioning/apply/kernel_workshop.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/apply/nas_marks.hpp"
#include "provisioning/apply/nas_place.hpp"
#include "provisioning/apply/nas_removal.hpp"
#include "provisioning/apply/root_exports.hpp"
#include "provisioning/image/customize.hpp"
#include "provisioning/image/download.hpp"
#include "provisioning/image/ingest.hpp"
#include "provisioning/plan/scope.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {
namespace {

using store::BoardTree;

class Collector {
public:
    Collector(const fleet::Fleet& fleet, const CollectOptions& options, const store::Store& store)
        : fleet_(fleet), options_(options), store_(store) {}

    Result<Collected> look() {
        auto there = store_.inventory();
        if (!there) return tl::unexpected(there.error());
        return choose(*there).map([&] {
            look_at_sources();
            look_at_fleet_kernels();
            keep_downloads();
            result_.gone = store::collect(*there, kept_);
            return result_;
        });
    }

    Result<Collected> remove(store::Changes& changes) {
        if (auto told = withdraw_exports(); !told) return tl::unexpected(told.error());
        const store::Collection& gone = result_.gone;
        Result<void> done;
        const auto each = [&](const auto& things, std::string_view what, const auto& act) {
            if (done && !things.empty()) tell(fmt::format("removing {} {}", things.size(), what));
            for (const auto& thing : things) {
                if (!done) return;
                done = options_.stop.stop_requested()
                           ? fail("stopped; what is gone is gone: run gc again for the rest")
                           : act(thing);
            }
        };
        each(gone.generations, "generations", [&](std::uint64_t number) {
            return changes.remove_generation(number);
        });
        each(gone.images, "image records", [&](const std::string& name) {
            return changes.remove_image_record(name);
        });
        each(gone.kernels, "kernels", [&](const std::string& name) {
            return changes.remove_kernel(name);
        });
        each(gone.stamps, "identity stamps", [&](const BoardTree& stamp) {
            return changes.remove_stamp(stamp.board, stamp.base);
        });
        each(gone.board_trees, "board roots", [&](const BoardTree& tree) {
            return leave(store_.paths().board_root(tree.board, tree.base), [&] {
                return changes.remove_board_root(tree.board, tree.base);
            });
        });
        each(gone.shared_roots, "shared roots' exports", [&](const std::string& name) {
            return changes.remove_initramfs(name);
        });
        each(gone.roots, "base roots", [&](const std::string& name) {
            return leave(store_.paths().root(name), [&] { return changes.remove_root(name); });
        });
        each(gone.downloads, "unfinished downloads", [&](const std::string& name) {
            return changes.remove_download(name);
        });
        each(gone.objects, "objects", [&](const Digest& digest) {
            return changes.remove_object(digest);
        });
        if (!done) return tl::unexpected(done.error());
        return std::move(result_);
    }

private:
    // The tree on the NAS goes first: what is still in the store is found by the next run.
    Result<void> leave(const host::Path& tree, const std::function<Result<void>()>& remove) {
        return remove_nas_tree(removal_, tree).and_then(remove).and_then([&] {
            return NasMarks(store_.host(), store_.paths()).remove(tree);
        });
    }

    void tell(const std::string& text) const {
        if (options_.on_progress) options_.on_progress(text);
    }

    Result<void> choose(const store::Inventory& there) {
        const auto current = store_.current_number();
        if (!current) return tl::unexpected(current.error());
        std::set<std::uint64_t> stay;
        if (*current) stay.insert(**current);
        auto newest = there.generations.rbegin();
        for (std::size_t i = 0; i < options_.keep && newest != there.generations.rend(); ++i) {
            stay.insert(*newest++);
        }
        const auto uses = options_.uses();
        if (!uses) return tl::unexpected(uses.error());
        std::set<std::uint64_t> in_use;
        if (*current) in_use.insert(**current);
        for (const auto& [number, use] : *uses) {
            if (there.generations.contains(number)) {
                stay.insert(number);
                in_use.insert(number);
                continue;
            }
            kept_.whole_boards.insert(use.booting.begin(), use.booting.end());
            kept_.whole_boards.insert(use.running.begin(), use.running.end());
        }
        for (const std::uint64_t number : stay) {
            auto manifest = store_.generation(number);
            if (!manifest) {
                return fail(fmt::format(
                    "generation {} has to stay, but what it needs cannot be told: {}; nothing is "
                    "removed: make another one current (`bramble rollback`) or remove '{}'",
                    number,
                    manifest.error().message,
                    store_.paths().generation(number).string()
                ));
            }
            manifests_.emplace(number, std::move(*manifest));
            result_.kept.push_back(number);
        }
        for (const auto& [number, manifest] : manifests_) keep(manifest);
        for (const std::uint64_t number : in_use) exported_.push_back(&manifests_.at(number));
        return {};
    }

    void keep(const layout::Manifest& manifest) {
        kept_.generations.emplace(manifest.generation, &manifest);
        const layout::StorePaths& paths = store_.paths();
        for (const layout::BoardEntry& board : manifest.boards) {
            const auto tree = store_.tree_of(board);
            if (!tree) continue;
            if (tree->parent_path() == paths.roots()) {
                kept_.roots.insert(tree->filename().string());
            } else if (tree->parent_path() == paths.board(board.name) && tree->has_extension()) {
                kept_.board_trees.insert({board.name, tree->extension().string().substr(1)});
            }
        }
    }

    // The images that the next apply will look for.
    void look_at_sources() {
        const auto lock_file = read_lock_file(fleet_, store_.host());
        if (!lock_file) return keep_every_image(lock_file.error());
        for (const fleet::Profile* profile : plan::profiles_in_use(fleet_)) {
            const fleet::Image* image = fleet_.find_image(profile->image);
            if (image == nullptr) continue;
            const auto key = pinned_key(*image, lock_file->images, store_.host());
            if (!key) {
                keep_every_image(key.error());
                continue;
            }
            // Both stay: another `customize:` begins with the source's root again.
            kept_.images.insert(*key);
            seen_.sources[image->name] = *key;
            if (image->customize.empty()) continue;
            const auto customized = image::customized_key(*image, *key, store_.host());
            if (customized) {
                kept_.images.insert(*customized);
                seen_.sources[image->name] = *customized;
            } else {
                keep_every_image(customized.error());
            }
        }
    }

    // Of every URL that still stands in the fleet file, also where no board asks for it now.
    void keep_downloads() {
        for (const fleet::Image& image : fleet_.images) {
            if (const auto* file = std::get_if<fleet::FileSource>(&image.source))
                kept_.downloads.insert(image::download_prefix(file->location));
        }
        for (const fleet::Kernel& kernel : fleet_.kernels) {
            if (const auto* archive = std::get_if<fleet::ArchiveSource>(&kernel.source))
                kept_.downloads.insert(image::download_prefix(archive->location));
        }
    }

    void keep_every_image(const Error& reason) {
        if (!kept_.every_image) {
            result_.warnings.push_back(fmt::format(
                "{}; what was made of images stays until its source can be seen", reason.message
            ));
        }
        kept_.every_image = true;
    }

    // And the kernels, with the bases that they make of images. A kernel whose key is provisional
    // keeps none: its source is asked anew before it is built.
    void look_at_fleet_kernels() {
        const KernelLook look = look_at_kernels(fleet_, store_);
        for (const plan::Problem& problem : look.problems) {
            if (!problem.fatal) continue;
            result_.warnings.push_back(problem.message + "; kernels stay until it can be seen");
            kept_.every_kernel = true;
            kept_.every_image = true;
        }
        for (const auto& [name, key] : look.keys) kept_.kernels.insert(key);
        seen_.kernels = look.keys;
        for (const fleet::Profile* profile : plan::profiles_in_use(fleet_)) {
            if (!profile->kernel) continue;
            if (const auto base = plan::base_of(fleet_, seen_, *profile)) {
                kept_.images.insert(base->key);
            }
        }
    }

    // Before the trees go: no server may be told of a path that is not there.
    Result<void> withdraw_exports() {
        const auto& trees = result_.gone.board_trees;
        const auto& shared = result_.gone.shared_roots;
        if (trees.empty() && shared.empty()) return {};
        tell("withdrawing the exports of what goes");
        const std::set<BoardTree> leaving(trees.begin(), trees.end());
        RootExports exports{fleet_, exported_, {}};
        exports.leaves = [&](std::string_view board, std::string_view base) {
            if (board.empty()) return std::find(shared.begin(), shared.end(), base) != shared.end();
            return leaving.contains({std::string(board), std::string(base)});
        };
        const auto warnings = export_roots(store_, exports);
        if (!warnings) return tl::unexpected(warnings.error());
        result_.warnings.insert(result_.warnings.end(), warnings->begin(), warnings->end());
        return {};
    }

    const fleet::Fleet& fleet_;
    const CollectOptions& options_;
    store::Store store_;
    std::map<std::uint64_t, layout::Manifest> manifests_;  // that stay
    std::vector<const layout::Manifest*> exported_;
    store::Kept kept_;
    plan::Observed seen_;  // the keys of sources and kernels
    Collected result_;
    NasRemoval removal_{
        store_.host(),
        store_.paths(),
        options_.open_nas,
        nas_place(fleet_),
        [this](const std::string& warning) { result_.warnings.push_back(warning); },
        options_.stop};
};

}  // namespace

Result<Collected> collect(
    const fleet::Fleet& fleet, const CollectOptions& options, host::Host& host
) {
    if (options.keep == 0) return fail("at least the newest generation has to stay");
    const layout::StorePaths paths(fleet.appliance.store);
    if (options.dry_run) return Collector(fleet, options, store::Store(host, paths)).look();
    auto changes = store::Changes::begin(host, paths);
    if (!changes) return tl::unexpected(changes.error());
    Collector collector(fleet, options, changes->store());
    if (auto looked = collector.look(); !looked) return looked;
    return collector.remove(*changes);
}

}  // namespace bramble::apply
