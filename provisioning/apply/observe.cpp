#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "provisioning/apply/apply.hpp"
#include "provisioning/apply/image_pins.hpp"
#include "provisioning/apply/kernel_workshop.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/apply/nas_marks.hpp"
#include "provisioning/apply/nas_place.hpp"
#include "provisioning/apply/programs.hpp"
#include "provisioning/image/customize.hpp"
#include "provisioning/image/file_facts.hpp"
#include "provisioning/image/ingest.hpp"
#include "provisioning/image/inputs.hpp"
#include "provisioning/image/sources.hpp"
#include "provisioning/nfs/nas.hpp"
#include "provisioning/plan/bases.hpp"
#include "provisioning/plan/scope.hpp"
#include "provisioning/root/initramfs.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {
namespace {

class Observer {
public:
    Observer(const fleet::Fleet& fleet, const layout::StorePaths& paths, host::Host& host)
        : fleet_(fleet), store_(host, paths), host_(host) {}

    Result<plan::Observed> run() {
        return look_at_store()
            .and_then([&] { return look_at_roots(); })
            .and_then([&] {
                look_at_sources();
                look_at_fleet_kernels();
                look_at_what_a_nas_loses();
                return look_at_boot_files();
            })
            .map([&] { look_at_programs(fleet_, store_.paths(), host_, seen_); })
            .map([&] { return std::move(seen_); });
    }

private:
    Result<void> look_at_store() {
        seen_.filesystem = host_.filesystem_of(store_.paths().store());
        seen_.free_bytes = host_.free_bytes(store_.paths().store());
        seen_.processors = std::max(1U, std::thread::hardware_concurrency());
        seen_.overlay_problem = host_.overlay_problem(store_.paths().staging());
        auto current = store_.current();
        if (!current) {
            return fail(fmt::format(
                "{}; remove the link '{}' to have a new generation published",
                current.error().message,
                store_.paths().current().string()
            ));
        }
        seen_.current = std::move(*current);
        const auto numbers = store_.generations();
        if (!numbers) return tl::unexpected(numbers.error());
        if (!numbers->empty()) seen_.next_generation = numbers->back() + 1;
        auto images = store_.images();
        if (!images) return tl::unexpected(images.error());
        for (plan::ImageRecord& record : *images) {
            const Digest key = record.key;
            seen_.images.emplace(key, std::move(record));
        }
        auto kernels = store_.kernels();
        if (!kernels) return tl::unexpected(kernels.error());
        for (plan::KernelRecord& record : *kernels) {
            const Digest key = record.key;
            seen_.built_kernels.emplace(key, std::move(record));
        }
        return {};
    }

    Result<void> look_at_roots() {
        const NasMarks marks(host_, store_.paths());
        const auto place = nas_place(fleet_);
        for (const fleet::Board& board : fleet_.boards) {
            auto roots = store_.board_roots(board.name).and_then([&](auto&& all) {
                return marks.served(board.name, std::forward<decltype(all)>(all), place);
            });
            if (!roots) return tl::unexpected(roots.error());
            if (!roots->empty()) seen_.board_roots[board.name] = std::move(*roots);
            const fleet::Profile* profile = fleet_.find_profile(board.profile);
            if (profile == nullptr || profile->root.mode != fleet::RootMode::shared) continue;
            const auto packed = store_.packed_identity(board.name);
            if (!packed) return tl::unexpected(packed.error());
            if (*packed) seen_.packed_identities.emplace(board.name, **packed);
        }
        const auto shared = store_.shared_roots(root::initramfs_recipe());
        if (!shared) return tl::unexpected(shared.error());
        for (const auto& [base, initramfs] : *shared) {
            if (initramfs) seen_.initramfs.emplace(base, *initramfs);
            const auto there = marks.places(store_.paths().root(base));
            if (!there) return tl::unexpected(there.error());
            if (place && there->contains(*place)) seen_.nas_bases.insert(base);
        }
        return {};
    }

    // What NFS version 3 has no place for, of roots that are in the store.
    void look_at_what_a_nas_loses() {
        const auto place = nas_place(fleet_);
        if (!place) return;
        std::set<std::string> looked_at;
        for (const fleet::Profile* profile : plan::profiles_in_use(fleet_)) {
            const auto base = plan::base_of(fleet_, seen_, *profile);
            if (!base || profile->root.mode == fleet::RootMode::none) continue;
            const std::string name = plan::root_name(base->key);
            const auto record = seen_.images.find(base->key);
            const bool any = record != seen_.images.end() && record->second.has_root;
            if (!any || !looked_at.insert(name).second) continue;
            const auto lost = nfs::what_is_lost(store_.paths().root(name));
            if (!lost || lost->empty()) continue;
            seen_.problems.push_back(
                {profile->where, fmt::format("root {} on {}: {}", name, *place, *lost), false}
            );
        }
    }

    void look_at_sources() {
        const auto file = read_lock_file(fleet_, host_);
        if (!file) lock_problem_ = file.error().message;
        const kernel::Pins pins = file ? file->images : kernel::Pins{};
        const auto unpinned = unpinned_images(fleet_, pins);
        seen_.problems.insert(seen_.problems.end(), unpinned.begin(), unpinned.end());
        for (const fleet::Profile* profile : plan::profiles_in_use(fleet_)) {
            const fleet::Image* image = fleet_.find_image(profile->image);
            if (image == nullptr || !looked_at_.insert(image->name).second) continue;
            const auto key = pinned_key(*image, pins, host_);
            if (!key) {
                seen_.problems.push_back({image->where, key.error().message, true});
                continue;
            }
            seen_.sources[image->name] = *key;
            if (!seen_.images.contains(*key)) {
                note_size(*image);
                seen_.inputs[plan::made_by(plan::StepKind::ingest_image, image->name)] =
                    image::source_inputs(pinned_image(*image, pins), host_);
            }
            if (image->customize.empty()) continue;
            const auto customized = image::customized_key(*image, *key, host_);
            if (!customized) {
                seen_.problems.push_back({image->customize.where, customized.error().message, true}
                );
                continue;
            }
            if (!seen_.images.contains(*customized)) {
                seen_.inputs[plan::made_by(plan::StepKind::customize_image, image->name)] =
                    image::customize_inputs(*image, *key, host_);
            }
            seen_.uncustomized[image->name] = *key;
            seen_.sources[image->name] = *customized;
        }
    }

    // For an estimate: what cannot be seen is not known.
    void note_size(const fleet::Image& image) {
        std::optional<host::Path> source;
        if (const auto* file = std::get_if<fleet::FileSource>(&image.source)) {
            if (!image::is_url(*file)) source = file->location;
        } else if (const auto* directory = std::get_if<fleet::DirectorySource>(&image.source)) {
            source = directory->root;
        }
        if (!source) return;
        const auto bytes = host_.occupied_bytes(*source);
        if (bytes) seen_.source_bytes[image.name] = *bytes;
    }

    void look_at_fleet_kernels() {
        KernelLook look = look_at_kernels(fleet_, store_);
        for (auto& [name, inputs] : look.inputs) {
            seen_.inputs[plan::made_by(plan::StepKind::build_kernel, name)] = std::move(inputs);
        }
        seen_.kernels = std::move(look.keys);
        seen_.problems.insert(seen_.problems.end(), look.problems.begin(), look.problems.end());
        // Kernels say it too, with their line.
        const bool said = std::any_of(
            look.problems.begin(),
            look.problems.end(),
            [&](const plan::Problem& problem) { return problem.message == lock_problem_; }
        );
        if (!lock_problem_.empty() && !said) seen_.problems.push_back({{}, lock_problem_, true});
    }

    Result<void> look_at_boot_files() {
        for (const fleet::Profile* profile : plan::profiles_in_use(fleet_)) {
            for (const auto& [path, source] : profile->boot_files) {
                if (seen_.boot_files.contains(source)) continue;
                const auto file = host_.hash_file(source);
                if (!file) {
                    seen_.problems.push_back(
                        {profile->where,
                         fmt::format(
                             "profile '{}': boot_files: {}: {}",
                             profile->name,
                             path,
                             file.error().message
                         ),
                         true}
                    );
                    continue;
                }
                seen_.boot_files[source] = layout::ObjectFile{file->digest, file->size};
                auto facts = image::read_file_facts(host_, path, source);
                if (!facts) return tl::unexpected(facts.error());
                seen_.boot_file_facts[source] = std::move(*facts);
                const auto stored = store_.has_object({file->digest, file->size});
                if (!stored) return tl::unexpected(stored.error());
                if (*stored) seen_.objects.insert(file->digest);
            }
        }
        return {};
    }

    const fleet::Fleet& fleet_;
    store::Store store_;
    host::Host& host_;
    plan::Observed seen_;
    std::set<std::string> looked_at_;
    std::string lock_problem_;  // why fleet.lock cannot be read; empty: it can
};

}  // namespace

Result<plan::Observed> observe(
    const fleet::Fleet& fleet, const layout::StorePaths& store, host::Host& host
) {
    return Observer(fleet, store, host).run();
}

}  // namespace bramble::apply
