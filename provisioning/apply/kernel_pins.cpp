// What moving wishes of kernels mean: looked at for a plan, looked up for an apply.
#include <fmt/format.h>

#include <set>

#include "provisioning/apply/kernel_workshop.hpp"
#include "provisioning/apply/kernels.hpp"
#include "provisioning/kernel/build.hpp"
#include "provisioning/kernel/recipe.hpp"
#include "provisioning/plan/scope.hpp"

namespace bramble::apply {
namespace {

using host::Path;

std::vector<const fleet::Kernel*> kernels_in_use(const fleet::Fleet& fleet) {
    std::vector<const fleet::Kernel*> used;
    std::set<std::string> names;
    for (const fleet::Profile* profile : plan::profiles_in_use(fleet)) {
        if (!profile->kernel || !names.insert(*profile->kernel).second) continue;
        if (const auto* kernel = fleet.find_kernel(*profile->kernel)) used.push_back(kernel);
    }
    return used;
}

}  // namespace

Result<kernel::LockFile> read_lock_file(const fleet::Fleet& fleet, host::Host& host) {
    const Path path = kernel::pins_path(fleet);
    if (path.empty()) return kernel::LockFile{};
    const auto there = host.status(path);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return kernel::LockFile{};
    const auto text = host.read_file(path, kernel::pins_bytes_max);
    if (!text) return tl::unexpected(text.error());
    return kernel::parse_lock_file(*text).map_error([&](const Error& error) {
        return Error{fmt::format(
            "'{}': {}; remove it to have everything looked up anew", path.string(), error.message
        )};
    });
}

Result<void> write_lock_file(
    const fleet::Fleet& fleet, const kernel::LockFile& file, host::Host& host
) {
    const Path path = kernel::pins_path(fleet);
    if (path.empty()) return fail("a fleet that came from no file has no place for its lock file");
    return host.write_file(path, kernel::write_lock_file(file));
}

// With the compiler that built it, of which the record tells; none: it is not built as it is now.
static std::optional<kernel::Key> key_as_built(
    const fleet::Kernel& kernel, const kernel::Pins& pins, const store::Store& store
) {
    const auto built = store.kernels();
    if (!built) return std::nullopt;
    std::map<std::string, std::set<Digest>> by_compiler;
    for (const plan::KernelRecord& record : *built) {
        if (!record.compiler.empty()) by_compiler[record.compiler].insert(record.key);
    }
    for (const auto& [compiler, keys] : by_compiler) {
        kernel::Inquiry then(store.host());
        then.assume(kernel.arch, compiler);
        auto key = kernel::key_of(kernel, pins, then);
        if (key && keys.contains(key->digest)) return std::move(*key);
    }
    return std::nullopt;
}

KernelLook look_at_kernels(const fleet::Fleet& fleet, const store::Store& store) {
    host::Host& host = store.host();
    KernelLook look;
    const auto used = kernels_in_use(fleet);
    if (used.empty()) return look;
    const auto file = read_lock_file(fleet, host);
    if (!file) {
        look.problems.push_back({used.front()->where, file.error().message, true});
        return look;
    }
    const kernel::Pins* pins = &file->kernels;
    kernel::Inquiry inquiry(host);
    for (const fleet::Kernel* one : used) {
        auto key = kernel::key_of(*one, *pins, inquiry);
        const auto compiler = inquiry.compiler(one->arch);
        if (!compiler || compiler->empty()) {
            if (auto built = key_as_built(*one, *pins, store)) key = std::move(*built);
        }
        if (!key) {
            look.problems.push_back({one->where, key.error().message, true});
            continue;
        }
        look.keys[one->name] = key->digest;
        look.inputs[one->name] = key->inputs;
        if (key->pinned) continue;
        const bool other = pins->contains(one->name);
        look.problems.push_back(
            {one->where,
             fmt::format(
                 "kernel '{}': {} '{}': apply looks up what '{}' means and writes it down there",
                 one->name,
                 other ? "something else was asked for when it was pinned in"
                       : "it is not pinned yet in",
                 kernel::pins_path(fleet).filename().string(),
                 kernel::moving_wish(*one).value_or("")
             ),
             false}
        );
    }
    return look;
}

Result<void> pin_kernels(store::Changes& changes, const PinStep& step) {
    host::Host& host = changes.store().host();
    const auto used = kernels_in_use(step.fleet);
    if (used.empty()) return {};
    auto file = read_lock_file(step.fleet, host);
    if (!file) return tl::unexpected(file.error());
    kernel::Pins* pins = &file->kernels;
    const kernel::Pins before = *pins;
    for (const fleet::Kernel* one : used) {
        const auto wish = kernel::moving_wish(*one);
        if (!wish || (!step.update && kernel::meaning(*one, *pins))) continue;
        if (step.progress) step.progress(fmt::format("looking up {}", *wish));
        const auto workshop = open_kernel_workshop(changes, one->name, {step.progress, step.stop});
        if (!workshop) return tl::unexpected(workshop.error());
        auto means = kernel::look_up(*one, *workshop);
        if (auto removed = host.remove_all(workshop->staging); !removed) return removed;
        if (!means) return tl::unexpected(means.error());
        if (step.progress) step.progress(fmt::format("{} means {}", *wish, *means));
        (*pins)[one->name] = kernel::Pin{*wish, std::move(*means)};
    }
    if (*pins == before) return {};
    return write_lock_file(step.fleet, *file, host);
}

}  // namespace bramble::apply
