#include "provisioning/plan/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "provisioning/plan/compose.hpp"
#include "provisioning/plan/copy_on_write.hpp"
#include "provisioning/plan/costs.hpp"
#include "provisioning/plan/customization.hpp"
#include "provisioning/plan/difference.hpp"
#include "provisioning/plan/reasons.hpp"
#include "provisioning/plan/scope.hpp"

namespace bramble::plan {
namespace {

// What the NFS server has to know.
std::string exports_of(const layout::Manifest& manifest) {
    std::string text;
    for (const layout::BoardEntry& board : manifest.boards) {
        if (!board.root) continue;
        text += fmt::format(
            "{} {} {} {}\n",
            board.root->path.string(),
            board.address ? board.address->to_string() : "*",
            board.root->nfs_version,
            board.root->read_only ? "ro" : "rw"
        );
    }
    return text;
}

class Planner {
public:
    Planner(const fleet::Fleet& fleet, const Observed& observed, const layout::StorePaths& store)
        : fleet_(fleet),
          observed_(observed),
          wanted_(compose(fleet, observed, store)),
          estimator_(fleet, observed) {
        plan_.problems = observed.problems;
        const auto add = [&](const std::vector<Problem>& more) {
            plan_.problems.insert(plan_.problems.end(), more.begin(), more.end());
        };
        add(unsupported(fleet, observed));
        add(wanted_.problems);
        if (observed.current) plan_.current = observed.current->generation;
    }

    Plan run() {
        note_images();
        ingest_images();
        build_kernels();
        install_kernels();
        store_files();
        make_initramfs();
        write_shared_roots();
        make_roots();
        pack_identities();
        const std::vector<std::string> reasons = reasons_to_publish();
        export_roots();
        publish(reasons);
        plan_.costs = describe_roots(plan_.steps, fleet_, observed_);
        sum_up();
        return std::move(plan_);
    }

private:
    std::size_t add(Step step) {
        plan_.steps.push_back(std::move(step));
        return plan_.steps.size() - 1;
    }

    void note_images() {
        for (const std::string& image : wanted_.images) {
            const auto key = observed_.sources.find(image);
            if (key == observed_.sources.end()) continue;
            const auto record = observed_.images.find(key->second);
            if (record == observed_.images.end() || record->second.release.empty()) continue;
            const auto& out = record->second.taken_out;
            plan_.notes.push_back(fmt::format(
                "image {} is {}{}{}",
                image,
                record->second.release,
                out.empty() ? "" : "; taken out: ",
                fmt::join(out, ", ")
            ));
        }
    }

    void ingest_images() {
        for (const std::string& image : wanted_.missing) {
            const auto key = observed_.sources.find(image);
            if (key == observed_.sources.end()) continue;  // observe has said why
            const auto base = observed_.uncustomized.find(image);
            const bool customized = base != observed_.uncustomized.end();
            const Digest& source = customized ? base->second : key->second;
            const bool before = observed_.current.has_value();
            const bool ingested = observed_.images.contains(source);
            if (!ingested) {
                Step step{StepKind::ingest_image, image, "not in the store", source, {}};
                const std::string changed = changes_of_image(StepKind::ingest_image, image);
                if (!changed.empty()) {
                    step.reason = "not in the store: " + changed;
                } else if (before) {
                    step.reason += ", or its source changed";
                }
                step.estimate = estimator_.ingest(*fleet_.find_image(image), source);
                ingests_[image] = add(std::move(step));
            }
            if (customized) customize_image(image, key->second, before && ingested);
        }
    }

    std::string changes_of_image(StepKind step, const std::string& image) const {
        return changes_since(observed_.images, observed_.inputs, made_by(step, image));
    }

    void customize_image(const std::string& image, const Digest& key, bool changed) {
        Step step{StepKind::customize_image, image, "", key, {}};
        std::string what = changes_of_image(StepKind::customize_image, image);
        if (what.empty()) what = changed ? "customize: is new or changed" : "not in the store";
        step.reason = fmt::format("{}: {}", what, describe(fleet_.find_image(image)->customize));
        const auto ingest = ingests_.find(image);
        if (ingest != ingests_.end()) step.after.push_back(ingest->second);
        step.estimate = estimator_.customize(image, observed_.uncustomized.at(image), key);
        ingests_[image] = add(std::move(step));
    }

    void build_kernels() {
        for (const std::string& kernel : wanted_.missing_kernels) {
            const bool other = std::any_of(
                observed_.built_kernels.begin(),
                observed_.built_kernels.end(),
                [&](const auto& built) { return built.second.name == kernel; }
            );
            Step step{
                StepKind::build_kernel,
                kernel,
                changes_since(
                    observed_.built_kernels,
                    observed_.inputs,
                    made_by(StepKind::build_kernel, kernel)
                ),
                observed_.kernels.at(kernel),
                {}};
            if (step.reason.empty()) {
                step.reason =
                    other ? "its source, options, patches or compiler changed" : "not in the store";
            }
            step.estimate = estimator_.build(kernel);
            builds_[kernel] = add(std::move(step));
        }
    }

    void install_kernels() {
        for (const auto& [key, base] : wanted_.missing_bases) {
            Step step{
                StepKind::install_kernel, base.kernel, "for boards without an image", key, {}};
            if (!base.image.empty()) {
                step.reason = fmt::format("boards with image {} run it", base.image);
            }
            const auto after = [&](const auto& steps, const std::string& name) {
                const auto found = steps.find(name);
                if (found != steps.end()) step.after.push_back(found->second);
            };
            after(ingests_, base.image);
            after(builds_, base.kernel);
            const auto source = observed_.sources.find(base.image);
            const bool any = source != observed_.sources.end();
            step.estimate = estimator_.install(
                base.kernel, any ? std::optional(source->second) : std::nullopt, key
            );
            bases_[root_name(key)] = add(std::move(step));
        }
    }

    void store_files() {
        std::set<Digest> planned;
        for (const fleet::Profile* profile : profiles_in_use(fleet_)) {
            for (const auto& [path, source] : profile->boot_files) {
                const auto file = observed_.boot_files.find(source);
                if (file == observed_.boot_files.end()) continue;
                const Digest& digest = file->second.digest;
                if (observed_.objects.contains(digest) || !planned.insert(digest).second) continue;
                Step step{StepKind::store_file, source.string(), "not in the store", digest, {}};
                step.estimate = estimator_.store_file(file->second.size);
                files_[digest] = add(std::move(step));
            }
        }
    }

    void make_initramfs() {
        for (const auto& [base, image] : wanted_.shared) {
            if (observed_.initramfs.contains(base)) continue;
            Step step{
                StepKind::make_initramfs,
                image,
                "boards share its root",
                initramfs_step_key(base),
                {}};
            step.estimate = estimator_.make_initramfs();
            wait_for_base(step, image, base);
            add(std::move(step));
        }
    }

    void wait_for_base(Step& step, const std::string& image, const std::string& base) const {
        const auto ingest = ingests_.find(image);
        if (ingest != ingests_.end()) step.after.push_back(ingest->second);
        const auto install = bases_.find(base);
        if (install != bases_.end()) step.after.push_back(install->second);
    }

    void pack_identities() {
        for (const auto& [board, wanted] : wanted_.layers) {
            const auto packed = observed_.packed_identities.find(board);
            const Digest identity = root::identity_key(wanted.identity);
            const bool any = packed != observed_.packed_identities.end();
            const bool same_base = any && packed->second.base == wanted.base;
            if (same_base && packed->second.identity == identity) continue;
            Step step{StepKind::pack_identity, board, "it has none", {}, {}};
            step.key = Digest::of(fmt::format("{}\n{}\n", wanted.base, identity.to_string()));
            if (any) step.reason = "its identity changed";
            if (any && !same_base) step.reason = "its base changed: image " + wanted.image;
            wait_for_base(step, wanted.image, wanted.base);
            add(std::move(step));
        }
    }

    void make_roots() {
        for (const auto& [board, wanted] : wanted_.roots) {
            const auto found = observed_.board_roots.find(board);
            const std::vector<BoardRoot> none;
            const std::vector<BoardRoot>& has =
                found == observed_.board_roots.end() ? none : found->second;
            const auto same = std::find_if(has.begin(), has.end(), [&](const BoardRoot& root) {
                return root.base == wanted.base;
            });
            const Digest identity = root::identity_key(wanted.identity);
            if (same == has.end()) {
                copy_root(board, wanted, identity, !has.empty());
            } else if (same->identity != identity) {
                Step step{StepKind::write_identity, board, "its identity changed", identity, {}};
                if (!same->identity) step.reason = "it has none yet";
                wait_for_all(step, board, wanted);
                add(std::move(step));
            }
        }
    }

    // The board may have this root now: it is changed when all else that the board needs is there.
    void wait_for_all(Step& step, const std::string& board, const WantedRoot& wanted) const {
        wait_for_base(step, wanted.image, wanted.base);
        const fleet::Profile* profile = fleet_.find_profile(fleet_.find_board(board)->profile);
        for (const auto& [path, source] : profile->boot_files) {
            const auto seen = observed_.boot_files.find(source);
            if (seen == observed_.boot_files.end()) continue;
            const auto file = files_.find(seen->second.digest);
            if (file != files_.end()) step.after.push_back(file->second);
        }
        std::sort(step.after.begin(), step.after.end());
        const auto twice = std::unique(step.after.begin(), step.after.end());
        step.after.erase(twice, step.after.end());
    }

    void copy_root(
        const std::string& board, const WantedRoot& wanted, const Digest& identity, bool has_another
    ) {
        Step step{StepKind::copy_root, board, "it has none", {}, {}};
        step.key = Digest::of(fmt::format("{}\n{}\n", wanted.base, identity.to_string()));
        wait_for_base(step, wanted.image, wanted.base);
        const fleet::Board* known = fleet_.find_board(board);
        const fleet::Profile* profile = fleet_.find_profile(known->profile);
        step.copy_on_write = copy_on_write_of(fleet_, *profile, observed_);
        if (has_another) {
            step.reason =
                fmt::format("its base changed: {}{}", wanted.made_of, fate_of_changes(*profile));
        }
        step.estimate = estimator_.copy_root(step.copy_on_write, wanted.base);
        if (const auto* nas = external()) {
            step.place = nas->place();
            step.estimate = estimator_.write_over_nfs(wanted.base);
        }
        add(std::move(step));
    }

    const fleet::NfsExternal* external() const {
        return std::get_if<fleet::NfsExternal>(&fleet_.appliance.nfs);
    }

    // One tree for all that share it.
    void write_shared_roots() {
        const auto* nas = external();
        if (nas == nullptr) return;
        for (const auto& [base, image] : wanted_.shared) {
            if (observed_.nas_bases.contains(base)) continue;
            Step step{
                StepKind::write_shared_root,
                image,
                "boards share its root, and it is not there yet",
                shared_root_step_key(nas->place(), base),
                {}};
            wait_for_base(step, image, base);
            step.place = nas->place();
            step.estimate = estimator_.write_over_nfs(base);
            add(std::move(step));
        }
    }

    // What becomes of what the board changed: never silently. The root that it leaves stays beside
    // the new one for as long as a generation that is kept names it.
    static std::string fate_of_changes(const fleet::Profile& profile) {
        if (profile.root.on_base_change == fleet::OnBaseChange::reset) {
            return "; its changes do not come along (on_base_change: reset)";
        }
        if (profile.root.keep.empty())
            return "; nothing is listed to keep, its changes stay behind";
        return fmt::format("; of its changes it keeps {}", fmt::join(profile.root.keep, ", "));
    }

    std::vector<std::string> reasons_to_publish() const {
        std::vector<std::string> reasons;
        if (!observed_.current) {
            reasons.emplace_back("the first one");
        } else if (!wanted_.missing.empty() || !wanted_.missing_bases.empty()) {
            for (const std::string& image : wanted_.missing) {
                reasons.push_back(fmt::format("image {} is made anew", image));
            }
            for (const auto& [key, base] : wanted_.missing_bases) {
                reasons.push_back(fmt::format("kernel {} is installed anew", base.kernel));
            }
        } else {
            reasons = differences(*observed_.current, wanted_.manifest);
        }
        return reasons;
    }

    // Last of all: once a board can see the generation, whatever it names is there.
    void publish(const std::vector<std::string>& reasons) {
        if (reasons.empty()) return;
        Step step{
            StepKind::publish,
            fmt::format("generation {}", observed_.next_generation),
            summary(reasons),
            Digest::of(layout::write_manifest(wanted_.manifest)),
            {}};
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) step.after.push_back(i);
        add(std::move(step));
    }

    void sum_up() {
        plan_.total = total_of(plan_.steps, observed_);
        if (!plan_.total.fits()) plan_.problems.push_back(lack_of_space(plan_.total));
    }

    // Before publishing: a board that is told of a root must be able to mount it.
    void export_roots() {
        if (external() != nullptr) return;  // that machine's own affair
        const std::string wanted = exports_of(wanted_.manifest);
        const bool copied =
            std::any_of(plan_.steps.begin(), plan_.steps.end(), [](const Step& step) {
                return step.kind == StepKind::copy_root || step.kind == StepKind::make_initramfs;
            });
        const bool same = observed_.current && exports_of(*observed_.current) == wanted;
        const std::size_t count = wanted_.roots.size() + wanted_.layers.size();
        if (count == 0 || (!copied && same)) return;
        Step step{
            StepKind::export_roots,
            fmt::format("of {} board{}", count, count == 1 ? "" : "s"),
            wanted_.layers.empty() ? "each to its board's address"
                                   : "each to its board's address, shared ones to the network",
            Digest::of(wanted),
            {}};
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) step.after.push_back(i);
        add(std::move(step));
    }

    const fleet::Fleet& fleet_;
    const Observed& observed_;
    Composition wanted_;
    Estimator estimator_;
    Plan plan_;
    std::map<std::string, std::size_t> ingests_;  // image -> the step that completes it
    std::map<std::string, std::size_t> builds_;   // kernel -> its step
    std::map<Digest, std::size_t> files_;         // boot file -> its step
    std::map<std::string, std::size_t> bases_;    // root_name -> the step that installs a kernel
};

}  // namespace

Digest initramfs_step_key(std::string_view base) {
    return Digest::of(fmt::format("initramfs\n{}\n", base));
}

Digest shared_root_step_key(std::string_view place, std::string_view base) {
    return Digest::of(fmt::format("{}\n{}\n", place, base));
}

Plan make(const fleet::Fleet& fleet, const Observed& observed, const layout::StorePaths& store) {
    return Planner(fleet, observed, store).run();
}

}  // namespace bramble::plan
