#include "provisioning/apply/step_runner.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

#include "provisioning/apply/customize_step.hpp"
#include "provisioning/apply/image_pins.hpp"
#include "provisioning/apply/ingest_step.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/apply/programs.hpp"
#include "provisioning/apply/root_exports.hpp"
#include "provisioning/apply/shared_step.hpp"
#include "provisioning/plan/difference.hpp"

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

// A sum that is not the fleet file's own is refused in other words.
std::string of_lock_file(std::string message) {
    constexpr std::string_view said = ", and the fleet file says ";
    constexpr std::string_view remedy = "correct sha256: when the new one is the one you want";
    const auto at = message.find(said);
    const auto end = message.find(remedy);
    if (at == message.npos || end == message.npos) return message;
    message.replace(end, remedy.size(), "`bramble apply --update` takes what is there now");
    return message.replace(at, said.size(), ", and the lock file beside the fleet file says ");
}

}  // namespace

Error refusal(const std::vector<plan::Problem>& problems, const fleet::Fleet& fleet) {
    std::string text;
    for (const plan::Problem& problem : problems) {
        if (!problem.fatal) continue;
        text += text.empty() ? "" : "\n";
        text += fleet.place(problem.where) + problem.message;
    }
    return Error{std::move(text)};
}

void StepRunner::begin(plan::Observed seen) {
    const std::lock_guard lock(mutex_);
    seen_ = std::move(seen);
    wanted_ = plan::compose(settings_.fleet, seen_, paths_);
}

Result<void> StepRunner::perform(const Step& step, const Telling& telling) {
    switch (step.kind) {
        case StepKind::ingest_image:
            return ingest(step, telling);
        case StepKind::customize_image:
            return customize(step, telling);
        case StepKind::build_kernel:
            return build(step, telling);
        case StepKind::install_kernel:
            return install(step, telling);
        case StepKind::store_file:
            return store_file(step);
        case StepKind::make_initramfs:
            return make_initramfs(step, telling);
        case StepKind::pack_identity:
            return pack_identity(step, telling);
        case StepKind::copy_root:
            return copy_root(step, telling);
        case StepKind::write_identity:
            return write_identity(step, telling);
        case StepKind::write_shared_root:
            return write_shared_root(step, telling);
        case StepKind::export_roots:
            return tell_nfs(true);
        case StepKind::publish:
            break;
    }
    return publish(telling);
}

// ---- images and kernels

// An image that has just been made may show what could not be known before: a config.txt that is
// too long, firmware that is not there.
Result<void> StepRunner::learn(const plan::ImageRecord& record) {
    return learn(seen_.images, record);
}

// What forbids a plan fails this step alone: others are told nothing of it.
template <typename Record>
Result<void> StepRunner::learn(std::map<Digest, Record>& records, const Record& record) {
    const std::lock_guard lock(mutex_);
    records[record.key] = record;
    auto done = recompose();
    if (done) return done;
    records.erase(record.key);
    (void)recompose();
    return done;
}

// With the lock held.
Result<void> StepRunner::recompose() {
    look_at_programs(settings_.fleet, paths_, host_, seen_);
    wanted_ = plan::compose(settings_.fleet, seen_, paths_);
    for (const plan::Problem& problem : wanted_.problems) {
        if (problem.fatal) return tl::unexpected(refusal(wanted_.problems, settings_.fleet));
    }
    settings_.on_problems(wanted_.problems);
    return {};
}

Inputs StepRunner::inputs_of(const Step& step) {
    const std::lock_guard lock(mutex_);
    const auto found = seen_.inputs.find(plan::made_by(step.kind, step.subject));
    return found == seen_.inputs.end() ? Inputs{} : found->second;
}

Result<void> StepRunner::ingest(const Step& step, const Telling& telling) {
    const fleet::Image* asked = settings_.fleet.find_image(step.subject);
    const auto file = read_lock_file(settings_.fleet, host_);
    if (!file) return tl::unexpected(file.error());
    const fleet::Image image = pinned_image(*asked, file->images);
    IngestStep one{settings_.fleet, image, step.key, {}, {}, {}, telling.progress, telling.stop};
    one.inputs = inputs_of(step);
    one.key_now = [&] { return pinned_key(*asked, file->images, host_); };
    one.accept = [&](const Path& root) {
        const std::lock_guard lock(mutex_);  // several may write into one lock file
        return hold_to_packages(settings_.fleet, *asked, root, host_);
    };
    const bool by_lock_file = moving_wish(*asked).has_value();
    return ingest_image(changes_, one)
        .map_error([&](const Error& error) {
            return by_lock_file ? Error{of_lock_file(error.message)} : error;
        })
        .and_then([&](const plan::ImageRecord& record) { return learn(record); });
}

Result<void> StepRunner::customize(const Step& step, const Telling& telling) {
    const fleet::Image* image = settings_.fleet.find_image(step.subject);
    plan::ImageRecord base;
    {
        const std::lock_guard lock(mutex_);
        base = seen_.images.at(seen_.uncustomized.at(step.subject));
    }
    return customize_image(
               changes_,
               {settings_.fleet,
                *image,
                base,
                step.key,
                inputs_of(step),
                telling.progress,
                telling.stop}
    )
        .and_then([&](const plan::ImageRecord& record) { return learn(record); });
}

Result<void> StepRunner::build(const Step& step, const Telling& telling) {
    const fleet::Kernel* kernel = settings_.fleet.find_kernel(step.subject);
    std::map<Digest, plan::KernelRecord> built;
    {
        const std::lock_guard lock(mutex_);
        built = seen_.built_kernels;
    }
    return build_kernel(
               changes_, {settings_.fleet, *kernel, step.key, built, telling.progress, telling.stop}
    )
        .and_then([&](const plan::KernelRecord& record) {
            return learn(seen_.built_kernels, record);
        });
}

// Modules and boot files of one kernel come with one base: a board never has a mixture.
Result<void> StepRunner::install(const Step& step, const Telling& telling) {
    std::optional<InstallStep> one;
    {
        const std::lock_guard lock(mutex_);
        const plan::Base base = wanted_.missing_bases.at(step.key);
        const fleet::Kernel* kernel = settings_.fleet.find_kernel(base.kernel);
        one.emplace(InstallStep{*kernel, base, {}, {}, telling.progress, telling.stop});
        if (!base.image.empty()) one->image = seen_.images.at(seen_.sources.at(base.image));
        one->built = seen_.built_kernels.at(seen_.kernels.at(base.kernel));
    }
    return install_kernel(changes_, *one).and_then([&](const plan::ImageRecord& record) {
        return learn(record);
    });
}

Result<void> StepRunner::store_file(const Step& step) {
    const auto object = changes_.add_object(step.subject);
    if (!object) return tl::unexpected(object.error());
    if (object->digest != step.key) {
        return fail(fmt::format("'{}' changed meanwhile: run apply again", step.subject));
    }
    const std::lock_guard lock(mutex_);
    seen_.objects.insert(step.key);
    return {};
}

// ---- roots that boards share

Result<void> StepRunner::make_initramfs(const Step& step, const Telling& telling) {
    std::vector<std::string> bases;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [base, image] : wanted_.shared) {
            if (plan::initramfs_step_key(base) == step.key) bases.push_back(base);
        }
    }
    for (const std::string& base : bases) {
        const auto made = apply::make_initramfs(changes_, base, telling.progress);
        if (!made) return tl::unexpected(made.error());
        const std::lock_guard lock(mutex_);
        seen_.initramfs[base] = *made;
        stale_ = true;
    }
    return {};
}

Result<void> StepRunner::pack_identity(const Step& step, const Telling& telling) {
    std::optional<plan::WantedRoot> wanted;
    {
        const std::lock_guard lock(mutex_);
        const auto found = wanted_.layers.find(step.subject);
        if (found != wanted_.layers.end()) wanted = found->second;
    }
    if (!wanted) {  // its image turned out to have boot files only
        telling.progress("its image has no root tree");
        return {};
    }
    const auto packed = apply::pack_identity(changes_, step.subject, *wanted);
    if (!packed) return tl::unexpected(packed.error());
    const std::lock_guard lock(mutex_);
    seen_.packed_identities[step.subject] = *packed;
    stale_ = true;
    return {};
}

// ---- all of it

Result<void> StepRunner::tell_nfs(bool with_current) {
    RootExports exports{settings_.whole};
    const std::lock_guard lock(mutex_);
    // Who keeps what it has mounts it from where it is, whatever the fleet file says.
    const bool holds = !seen_.held.empty();
    if (given_) {
        if (holds) exports.generations.push_back(&*given_);
    } else if ((with_current || holds) && seen_.current) {
        exports.generations.push_back(&*seen_.current);
    }
    const auto warnings = export_roots(changes_.store(), exports);
    if (!warnings) return tl::unexpected(warnings.error());
    for (const std::string& warning : *warnings) settings_.on_warning(warning);
    return {};
}

Result<void> StepRunner::publish(const Telling& telling) {
    const std::lock_guard lock(mutex_);
    // Once for all that was made, not once for each: a thousand boards may have been.
    if (std::exchange(stale_, false)) {
        if (auto done = recompose(); !done) return done;
    }
    layout::Manifest manifest = wanted_.manifest;
    if (seen_.current && plan::differences(*seen_.current, manifest).empty()) {
        telling.progress("boards get what they got before: nothing to publish");
        return {};
    }
    if (manifest.boards.empty() && !seen_.held.empty()) {
        telling.progress("no board has all that it needs: nothing to publish");
        return {};
    }
    if (auto whole = refuse_missing(manifest); !whole) return whole;
    manifest.created = rfc3339(host_.now());
    if (settings_.options.may_publish) {
        if (auto may = settings_.options.may_publish(manifest); !may) return may;
    }
    const auto number = changes_.publish(manifest);
    if (!number) return tl::unexpected(number.error());
    published_ = *number;
    given_ = std::move(manifest);
    for (const auto& [board, wanted] : wanted_.roots) {
        if (auto pointed = changes_.point_board_root(board, wanted.base); !pointed) return pointed;
    }
    return {};
}

}  // namespace bramble::apply
