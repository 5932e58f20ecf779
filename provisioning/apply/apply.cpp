#include "provisioning/apply/apply.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "config/types/text.hpp"
#include "provisioning/apply/customize_step.hpp"
#include "provisioning/apply/heartbeat.hpp"
#include "provisioning/apply/ingest_step.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/apply/nas_roots.hpp"
#include "provisioning/apply/programs.hpp"
#include "provisioning/apply/root_exports.hpp"
#include "provisioning/apply/shared_step.hpp"
#include "provisioning/host/tree_archive.hpp"
#include "provisioning/plan/compose.hpp"
#include "provisioning/plan/difference.hpp"
#include "provisioning/root/identity.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {
namespace {

using host::Path;
using plan::Step;
using plan::StepKind;

std::string rfc3339(std::chrono::system_clock::time_point time) {
    return fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time))
    );
}

Error refusal(const std::vector<plan::Problem>& problems, const fleet::Fleet& fleet) {
    std::string text;
    for (const plan::Problem& problem : problems) {
        if (!problem.fatal) continue;
        text += text.empty() ? "" : "\n";
        text += fleet.place(problem.where) + problem.message;
    }
    return Error{std::move(text)};
}

// One apply from the lock to the published generation.
class Run {
public:
    Run(const fleet::Fleet& fleet, const Options& options, store::Changes changes)
        : fleet_(fleet),
          options_(options),
          changes_(std::move(changes)),
          host_(changes_.store().host()),
          paths_(changes_.store().paths()) {}

    Result<Outcome> go() {
        if (auto pinned = pin(); !pinned) return tl::unexpected(pinned.error());
        auto seen = observe(fleet_, paths_, host_);
        if (!seen) return tl::unexpected(seen.error());
        seen_ = std::move(*seen);
        const plan::Plan plan = plan::make(fleet_, seen_, paths_);
        if (plan.refused()) return tl::unexpected(refusal(plan.problems, fleet_));
        outcome_.generation = plan.current;
        warn_of(plan.problems);
        for (const std::string& problem : changes_.mount_problems()) warn(problem);
        steps_ = plan.steps.size();
        wanted_ = plan::compose(fleet_, seen_, paths_);
        for (const Step& step : plan.steps) {
            if (auto done = carry_out(step); !done) return tl::unexpected(done.error());
        }
        // Also when there was nothing to do: a run that ended before this, a configuration that
        // somebody removed. It leaves alone what is as it should be.
        if (auto exported = tell_nfs(false); !exported) {
            return tl::unexpected(exported.error());
        }
        return std::move(outcome_);
    }

private:
    std::function<void(std::string_view)> telling() {
        return [this](std::string_view line) { tell(EventKind::progress, std::string(line)); };
    }

    // Before the plan, which goes by what wishes mean.
    Result<void> pin() {
        name_ = "pin kernels";
        return pin_kernels(changes_, {fleet_, options_.update_pins, telling(), options_.stop});
    }

    void tell(EventKind kind, std::string text, Duration took = {}) {
        if (!options_.on_event) return;
        heartbeat_.heard();
        const std::lock_guard lock(telling_);
        options_.on_event({kind, number_, steps_, name_, std::move(text), took});
    }

    // From the heartbeat's own thread; a step is under way, so its number and name stand still.
    void tell_still(std::chrono::milliseconds since) {
        if (!options_.on_event) return;
        const std::lock_guard lock(telling_);
        options_.on_event(
            {EventKind::progress,
             number_,
             steps_,
             name_,
             fmt::format("{} so far", describe(since)),
             {}}
        );
    }

    void warn(const std::string& text) {
        auto& warnings = outcome_.warnings;
        if (std::find(warnings.begin(), warnings.end(), text) != warnings.end()) return;
        warnings.push_back(text);
        tell(EventKind::warning, text);
    }

    void warn_of(const std::vector<plan::Problem>& problems) {
        for (const plan::Problem& problem : problems) {
            if (!problem.fatal) warn(fleet_.place(problem.where) + problem.message);
        }
    }

    Result<void> carry_out(const Step& step) {
        if (options_.stop.stop_requested()) {
            return fail("stopped before the end; what is done is kept: run apply again to go on");
        }
        ++number_;
        name_ = fmt::format("{} {}", plan::to_string(step.kind), step.subject);
        tell(EventKind::started, step.reason);
        const auto begun = host_.now();
        heartbeat_.begin();
        const Result<void> done = perform(step);
        heartbeat_.end();
        if (!done) {
            return fail(fmt::format(
                "{}: {}\nwhat was done before is kept: run apply again to go on from there",
                name_,
                done.error().message
            ));
        }
        tell(EventKind::finished, "", host_.now() - begun);
        return {};
    }

    Result<void> perform(const Step& step) {
        switch (step.kind) {
            case StepKind::ingest_image:
                return ingest(step);
            case StepKind::customize_image:
                return customize(step);
            case StepKind::build_kernel:
                return build(step);
            case StepKind::install_kernel:
                return install(step);
            case StepKind::store_file:
                return store_file(step);
            case StepKind::make_initramfs:
                return make_initramfs(step);
            case StepKind::pack_identity:
                return pack_identity(step);
            case StepKind::write_shared_root:
                return write_nas_bases(*on_nas(), wanted_.shared, step.subject, seen_.nas_bases);
            case StepKind::copy_root:
                return copy_root(step);
            case StepKind::write_identity:
                return write_identity(step);
            case StepKind::export_roots:
                return tell_nfs(true);
            case StepKind::publish:
                break;
        }
        return publish();
    }

    Result<void> ingest(const Step& step) {
        const fleet::Image* image = fleet_.find_image(step.subject);
        const auto progress = [this](std::string_view line) {
            tell(EventKind::progress, std::string(line));
        };
        return ingest_image(changes_, {fleet_, *image, step.key, progress, options_.stop})
            .and_then([&](const plan::ImageRecord& record) -> Result<void> {
                seen_.images[record.key] = record;
                return recompose();
            });
    }

    Result<void> customize(const Step& step) {
        const fleet::Image* image = fleet_.find_image(step.subject);
        const auto progress = [this](std::string_view line) {
            tell(EventKind::progress, std::string(line));
        };
        const plan::ImageRecord base = seen_.images.at(seen_.uncustomized.at(step.subject));
        return customize_image(changes_, {fleet_, *image, base, step.key, progress, options_.stop})
            .and_then([&](const plan::ImageRecord& record) -> Result<void> {
                seen_.images[record.key] = record;
                return recompose();
            });
    }

    Result<void> build(const Step& step) {
        const fleet::Kernel* kernel = fleet_.find_kernel(step.subject);
        return build_kernel(
                   changes_,
                   {fleet_, *kernel, step.key, seen_.built_kernels, telling(), options_.stop}
        )
            .and_then([&](const plan::KernelRecord& record) -> Result<void> {
                seen_.built_kernels[record.key] = record;
                return recompose();
            });
    }

    // Modules and boot files of one kernel come with one base: a board never has a mixture.
    Result<void> install(const Step& step) {
        const plan::Base base = wanted_.missing_bases.at(step.key);
        const fleet::Kernel* kernel = fleet_.find_kernel(base.kernel);
        InstallStep one{*kernel, base, {}, {}, telling(), options_.stop};
        if (!base.image.empty()) one.image = seen_.images.at(seen_.sources.at(base.image));
        one.built = seen_.built_kernels.at(seen_.kernels.at(base.kernel));
        return install_kernel(changes_, one)
            .and_then([&](const plan::ImageRecord& record) -> Result<void> {
                seen_.images[record.key] = record;
                return recompose();
            });
    }

    // An image that has just been made may show what could not be known before: a config.txt that
    // is too long, firmware that is not there.
    Result<void> recompose() {
        look_at_programs(fleet_, paths_, host_, seen_);
        wanted_ = plan::compose(fleet_, seen_, paths_);
        for (const plan::Problem& problem : wanted_.problems) {
            if (problem.fatal) return tl::unexpected(refusal(wanted_.problems, fleet_));
        }
        warn_of(wanted_.problems);
        return {};
    }

    Result<void> store_file(const Step& step) {
        const auto object = changes_.add_object(step.subject);
        if (!object) return tl::unexpected(object.error());
        if (object->digest == step.key) return {};
        return fail(fmt::format("'{}' changed meanwhile: run apply again", step.subject));
    }

    Result<void> give_identity(const std::string& board, const Path& root) {
        const auto& identity = wanted_.roots.at(board).identity;
        constexpr std::uint32_t private_mode = 0700;  // SSH host keys
        const Path kept = paths_.board_identity(board);
        return host_.make_directories_in(paths_.board(board), kept.filename(), private_mode, {})
            .and_then([&] {
                root::DirectoryTree tree(host_, root);
                return root::apply_identity(host_, tree, kept, identity);
            });
    }

    Result<void> remember_identity(const std::string& board) {
        const plan::WantedRoot& wanted = wanted_.roots.at(board);
        return changes_.record_identity(board, wanted.base, root::identity_key(wanted.identity));
    }

    // Who asks for reflink by name wants to hear when the filesystem refuses.
    store::RootMaking making_of(fleet::CopyOnWrite kind, const std::string& board) const {
        const fleet::Board* known = fleet_.find_board(board);
        const fleet::Profile* profile =
            known == nullptr ? nullptr : fleet_.find_profile(known->profile);
        const bool asked =
            profile != nullptr && profile->root.copy_on_write == fleet::CopyOnWrite::reflink;
        return {kind, asked};
    }

    bool is_current(const std::string& board, const std::string& base) const {
        const auto* entry = seen_.current ? seen_.current->find_board(board) : nullptr;
        return entry != nullptr && entry->root &&
               entry->root->path.filename() == paths_.board_root(board, base).filename();
    }

    // The root that the board leaves: that of the current generation, else the last that it has.
    Result<std::optional<Path>> root_before(const std::string& board, const std::string& base) {
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

    Result<void> keep_changes(const std::string& board, const std::string& base, const Path& to) {
        const fleet::Board* known = fleet_.find_board(board);
        const auto& settings = fleet_.find_profile(known->profile)->root;
        if (settings.on_base_change != fleet::OnBaseChange::keep) return {};
        const auto from = root_before(board, base);
        if (!from) return tl::unexpected(from.error());
        if (!*from) return {};
        for (const std::string& path : settings.keep) {
            const auto carried = options_.carry_over
                                     ? options_.carry_over(host_, **from, to, path, options_.stop)
                                     : host::carry_over(host_, **from, to, path, options_.stop);
            if (!carried) return tl::unexpected(carried.error());
            tell(
                EventKind::progress,
                *carried ? fmt::format("kept {}", path) : fmt::format("it has no {} to keep", path)
            );
        }
        return {};
    }

    Result<void> copy_root(const Step& step) {
        const std::string& board = step.subject;
        const auto wanted = wanted_.roots.find(board);
        if (wanted == wanted_.roots.end()) {  // its image turned out to have boot files only
            tell(EventKind::progress, "its image has no root tree");
            return {};
        }
        const std::string base = wanted->second.base;
        if (const auto nas = on_nas()) {
            return write_nas_root(*nas, board, base, wanted->second.identity).and_then([&] {
                return remember_identity(board);
            });
        }
        const store::RootMaking making = making_of(step.copy_on_write, board);
        const auto staged = changes_.stage_board_root(board, base, making, options_.stop);
        if (!staged) return tl::unexpected(staged.error());
        return keep_changes(board, base, staged->tree)
            .and_then([&] { return give_identity(board, staged->tree); })
            .and_then([&] { return changes_.adopt_board_root(board, base, *staged); })
            .and_then([&] { return remember_identity(board); })
            .and_then([&]() -> Result<void> {
                if (!is_current(board, base)) return {};  // the link follows when it is published
                return changes_.point_board_root(board, base);
            });
    }

    // Set where another machine has the roots.
    std::optional<NasWork> on_nas() {
        const auto* nas = std::get_if<fleet::NfsExternal>(&fleet_.appliance.nfs);
        if (nas == nullptr) return std::nullopt;
        const auto warned = [this](const std::string& text) { warn(text); };
        return NasWork{host_, paths_, *nas, options_.open_nas, telling(), warned, options_.stop};
    }

    Result<void> make_initramfs(const Step& step) {
        for (const auto& [base, image] : wanted_.shared) {
            if (plan::initramfs_step_key(base) != step.key) continue;
            const auto made = apply::make_initramfs(changes_, base, [this](std::string_view line) {
                tell(EventKind::progress, std::string(line));
            });
            if (!made) return tl::unexpected(made.error());
            seen_.initramfs[base] = *made;
            stale_ = true;
        }
        return {};
    }

    Result<void> pack_identity(const Step& step) {
        const auto wanted = wanted_.layers.find(step.subject);
        if (wanted == wanted_.layers.end()) {  // its image turned out to have boot files only
            tell(EventKind::progress, "its image has no root tree");
            return {};
        }
        const auto packed = apply::pack_identity(changes_, step.subject, wanted->second);
        if (!packed) return tl::unexpected(packed.error());
        seen_.packed_identities[step.subject] = *packed;
        stale_ = true;
        return {};
    }

    Result<void> write_identity(const Step& step) {
        const std::string& board = step.subject;
        if (const auto nas = on_nas()) {
            const plan::WantedRoot& wanted = wanted_.roots.at(board);
            return write_nas_identity(*nas, board, wanted.base, wanted.identity).and_then([&] {
                return remember_identity(board);
            });
        }
        return changes_.board_root_to_write(board, wanted_.roots.at(board).base)
            .and_then([&](const Path& root) { return give_identity(board, root); })
            .and_then([&] { return remember_identity(board); });
    }

    // Before publishing also to boards that are about to go, or to move to another address.
    Result<void> tell_nfs(bool with_current) {
        RootExports exports{fleet_};
        if (with_current && seen_.current) exports.generations.push_back(&*seen_.current);
        const auto warnings = export_roots(changes_.store(), exports);
        if (!warnings) return tl::unexpected(warnings.error());
        for (const std::string& warning : *warnings) warn(warning);
        return {};
    }

    Result<void> publish() {
        // Once for all that was made, not once for each: a thousand boards may have been.
        if (std::exchange(stale_, false)) {
            if (auto done = recompose(); !done) return done;
        }
        layout::Manifest manifest = wanted_.manifest;
        if (seen_.current && plan::differences(*seen_.current, manifest).empty()) {
            tell(EventKind::progress, "boards get what they got before: nothing to publish");
            return {};
        }
        manifest.created = rfc3339(host_.now());
        if (options_.may_publish) {
            if (auto may = options_.may_publish(manifest); !may) return may;
        }
        const auto number = changes_.publish(std::move(manifest));
        if (!number) return tl::unexpected(number.error());
        outcome_.generation = *number;
        outcome_.changed = true;
        for (const auto& [board, wanted] : wanted_.roots) {
            if (auto pointed = changes_.point_board_root(board, wanted.base); !pointed) {
                return pointed;
            }
        }
        return {};
    }

    const fleet::Fleet& fleet_;
    const Options& options_;
    store::Changes changes_;
    host::Host& host_;
    layout::StorePaths paths_;
    plan::Observed seen_;
    plan::Composition wanted_;
    Outcome outcome_;
    std::size_t number_ = 0;
    std::size_t steps_ = 0;
    bool stale_ = false;  // what is wanted names files that are made now by what stands for them
    std::string name_;
    std::mutex telling_;  // one event at a time
    Heartbeat heartbeat_{[this](std::chrono::milliseconds since) { tell_still(since); }};
};

}  // namespace

Result<Outcome> run(const fleet::Fleet& fleet, const Options& options, host::Host& host) {
    auto changes = store::Changes::begin(host, layout::StorePaths(fleet.appliance.store));
    if (!changes) return tl::unexpected(changes.error());
    return Run(fleet, options, std::move(*changes)).go();
}

}  // namespace bramble::apply
