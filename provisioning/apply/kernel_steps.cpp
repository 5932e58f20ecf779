// A kernel built, and laid over an image: the steps with everything that is theirs on the disk.
#include <fmt/format.h>

#include <thread>

#include "provisioning/apply/kernel_workshop.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/apply/workshop.hpp"
#include "provisioning/image/boot_files.hpp"
#include "provisioning/image/download.hpp"
#include "provisioning/image/unpack.hpp"
#include "provisioning/kernel/build.hpp"
#include "provisioning/kernel/recipe.hpp"
#include "provisioning/plan/plan.hpp"
#include "provisioning/root/initramfs.hpp"

namespace bramble::apply {
namespace {

using host::Path;

// The latest build of this kernel; another one of the same architecture may be ten times its size
// and says nothing.
std::optional<kernel::PastBuild> past_build(const KernelStep& step) {
    const std::string arch(kernel::architecture_of(step.kernel.arch).make);
    const plan::KernelRecord* found = nullptr;
    for (const auto& [key, record] : step.built) {
        if (record.steps == 0 || record.arch != arch || record.name != step.kernel.name) continue;
        if (found == nullptr || record.built_at_s > found->built_at_s) found = &record;
    }
    if (found == nullptr) return std::nullopt;
    return kernel::PastBuild{
        found->steps, std::chrono::duration_cast<Duration>(std::chrono::seconds(found->took_s))};
}

// What the build was made of, if that is still what there is.
Result<plan::KernelRecord> begin_record(
    const KernelStep& step, const kernel::Pins& pins, host::Host& host
) {
    kernel::Inquiry inquiry(host);
    const auto key = kernel::key_of(step.kernel, pins, inquiry);
    if (!key) return tl::unexpected(key.error());
    if (key->digest != step.key) {
        return fail(fmt::format(
            "kernel '{}': its sources or its compiler changed while it was built; run apply again "
            "when nobody writes to them",
            step.kernel.name
        ));
    }
    plan::KernelRecord record;
    record.key = step.key;
    record.name = step.kernel.name;
    record.inputs = key->inputs;
    record.source = kernel::describe_source(step.kernel, pins);
    record.arch = kernel::architecture_of(step.kernel.arch).make;
    if (std::holds_alternative<fleet::DebSource>(step.kernel.source)) return record;
    return inquiry.compiler(step.kernel.arch).map([&](const std::string& compiler) {
        record.compiler = compiler;
        return record;
    });
}

std::uint64_t seconds_since_1970(std::chrono::system_clock::time_point time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()
    );
}

// What commands printed; a package that needed none has none.
Result<void> keep_log(host::Host& host, const Path& log, const Path& directory) {
    const auto there = host.status(log);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return {};
    return host.copy_file(log, directory / "log").map([](const auto&) {});
}

Result<plan::KernelRecord> keep(
    store::Changes& changes,
    const KernelStep& step,
    const kernel::Built& built,
    plan::KernelRecord record
) {
    host::Host& host = changes.store().host();
    const auto abilities = kernel::root_abilities(built.options);
    record.release = built.release;
    record.has_modules = built.has_modules;
    record.mounts_root = abilities.mounts_root;
    record.nfs_versions = abilities.nfs_versions;
    record.steps = built.steps;
    const Path boot = built.directory / "boot";
    const auto files = image::list_boot_files(host, boot);
    if (!files) return tl::unexpected(files.error());
    for (const auto& [path, source] : *files) {
        const auto object = changes.add_object(source);
        if (!object) return tl::unexpected(object.error());
        record.files[path] = *object;
    }
    if (step.progress) step.progress("writing it to the store");
    return host.remove_all(boot)
        .and_then([&] { return changes.adopt_kernel(built.directory, record); })
        .map([&] { return record; });
}

// A directory of the tree itself, not a link that the image may have put in its place.
Result<bool> is_directory(host::Host& host, const Path& path) {
    const auto status = host.status(path);
    if (!status) return tl::unexpected(status.error());
    return *status && (*status)->kind == host::FileKind::directory;
}

// lib/modules of a root; /lib is a link to usr/lib in most.
Result<Path> modules_place(host::Host& host, const Path& root) {
    for (const char* place : {"lib", "usr/lib"}) {
        const auto top = is_directory(host, root / Path(place).begin()->string());
        const auto there = is_directory(host, root / place);
        if (!top) return tl::unexpected(top.error());
        if (!there) return tl::unexpected(there.error());
        if (!*top || !*there) continue;
        const auto taken = host.status(root / place / "modules");
        if (!taken) return tl::unexpected(taken.error());
        if (*taken && (*taken)->kind != host::FileKind::directory) continue;
        return root / place / "modules";
    }
    return fail("the image's root has neither lib nor usr/lib to put modules into");
}

Result<void> add_modules(store::Changes& changes, const InstallStep& step, const Path& root) {
    if (!step.built.has_modules) return {};
    host::Host& host = changes.store().host();
    const auto place = modules_place(host, root);
    if (!place) return tl::unexpected(place.error());
    const Path from = store::kernel_path(changes.store().paths(), step.built.key) /
                      "modules/lib/modules" / step.built.release;
    return host.make_directories(*place)
        .and_then([&] { return host.remove_all(*place / step.built.release); })
        .and_then([&] { return host.copy_tree(from, *place / step.built.release, step.stop); });
}

Result<std::optional<layout::ObjectFile>> add_initramfs(
    store::Changes& changes, const InstallStep& step, const Path& root
) {
    if (step.built.mounts_root) return std::nullopt;
    host::Host& host = changes.store().host();
    if (step.progress) step.progress("packing the initramfs of kernel " + step.built.release);
    const std::string release = step.built.release;
    const auto initramfs = root::build_initramfs(host, root, std::span(&release, 1));
    if (!initramfs) return tl::unexpected(initramfs.error());
    const Path file = changes.staged_name("initrd");
    if (auto written = host.write_file(file, initramfs->archive); !written) {
        return tl::unexpected(written.error());
    }
    const auto object = changes.add_object(file);
    if (!object) return tl::unexpected(object.error());
    return host.remove_all(file).map([&] { return std::optional(*object); });
}

}  // namespace

Result<kernel::Workshop> open_kernel_workshop(
    store::Changes& changes, const std::string& name, const Telling& telling
) {
    const layout::StorePaths& paths = changes.store().paths();
    host::Host& host = changes.store().host();
    const Path log = paths.store() / "logs" / fmt::format("kernel-{}.log", name);
    const Path downloads = paths.store() / "downloads";
    kernel::Craft craft;
    craft.unpack = [&host, telling](const Path& archive, const Path& directory) {
        return image::unpack_tar({archive, directory, telling.progress, telling.stop});
    };
    craft.fetch = [&host,
                   downloads,
                   telling](const std::string& url, std::optional<Digest> sum) -> Result<Path> {
        const std::string file =
            Digest::of(url).to_string().substr(0, 12) + "-" + image::file_name_of(url);
        const Path to = downloads / file;
        if (sum) {
            const auto there = host.status(to);
            if (there && *there) {
                const auto is = host.hash_file(to);
                if (is && is->digest == *sum) return to;
            }
        }
        return image::download(host, {url, to, sum, telling.progress, telling.stop})
            .map([&](const Digest&) { return to; });
    };
    return host.make_directories(log.parent_path())
        .and_then([&] { return host.remove_all(log); })
        .and_then([&] { return host.make_directories(downloads); })
        .and_then([&] { return changes.stage("kernel"); })
        .map([&](const Path& staging) {
            const unsigned cores = std::thread::hardware_concurrency();
            return kernel::Workshop{
                host, staging, log, craft, cores == 0 ? 1 : cores, telling.progress, telling.stop};
        });
}

Result<plan::KernelRecord> build_kernel(store::Changes& changes, const KernelStep& step) {
    host::Host& host = changes.store().host();
    const auto file = read_lock_file(step.fleet, host);
    if (!file) return tl::unexpected(file.error());
    const kernel::Pins* pins = &file->kernels;
    const auto workshop =
        open_kernel_workshop(changes, step.kernel.name, {step.progress, step.stop});
    if (!workshop) return tl::unexpected(workshop.error());
    const auto begun = host.now();
    const auto made =
        kernel::build({step.fleet, step.kernel, *pins, step.key, past_build(step)}, *workshop);
    const auto record = made.and_then([&](const kernel::Built& built) {
        return begin_record(step, *pins, host).and_then([&](plan::KernelRecord begin) {
            begin.took_s = static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::seconds>(host.now() - begun).count()
            );
            begin.built_at_s = seconds_since_1970(host.now());
            return keep_log(host, workshop->log, built.directory).and_then([&] {
                return keep(changes, step, built, std::move(begin));
            });
        });
    });
    // Sources and objects take gigabytes: they go also when it failed. The log stays.
    if (step.progress) step.progress("removing its sources and objects");
    if (auto removed = host.remove_all(workshop->staging); !removed && record) {
        return tl::unexpected(removed.error());
    }
    return record;
}

Result<plan::ImageRecord> install_kernel(store::Changes& changes, const InstallStep& step) {
    const auto begun = changes.store().host().now();
    std::optional<Path> root;
    if (step.image.has_root) {
        if (step.progress) step.progress("adding its modules to the image's root");
        const auto staged = changes.stage_base(plan::root_name(step.image.key), step.stop);
        if (!staged) return tl::unexpected(staged.error());
        if (auto added = add_modules(changes, step, *staged); !added) {
            return tl::unexpected(added.error());
        }
        root = *staged;
    }
    std::optional<layout::ObjectFile> initramfs;
    if (root) {
        const auto made = add_initramfs(changes, step, *root);
        if (!made) return tl::unexpected(made.error());
        initramfs = *made;
    }
    const plan::ImageRecord record =
        plan::with_kernel(step.base.key, step.image, step.kernel, step.built, initramfs);
    const std::string by = plan::made_by(plan::StepKind::install_kernel, step.kernel.name);
    return keep_image(changes, record, root, {by, begun});
}

}  // namespace bramble::apply
