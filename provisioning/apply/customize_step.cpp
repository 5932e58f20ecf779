#include "provisioning/apply/customize_step.hpp"

#include <fmt/format.h>

#include "provisioning/apply/workshop.hpp"
#include "provisioning/image/customize.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::apply {

Result<plan::ImageRecord> customize_image(store::Changes& changes, const CustomizeStep& step) {
    const auto place = [&] {
        return fmt::format(
            "{}image '{}'", step.fleet.place(step.image.customize.where), step.image.name
        );
    };
    if (!step.base.has_root)
        return fail(fmt::format("{}: customize: it has boot files only, and no root", place()));
    host::Host& host = changes.store().host();
    const auto begun = host.now();
    const auto workshop =
        open_workshop(changes, step.image.name + ".customize", step.progress, step.stop);
    if (!workshop) return tl::unexpected(workshop.error());
    const host::Path root = workshop->staging / "root";
    if (step.progress) step.progress("copying the image's root");
    plan::ImageRecord record = step.base;
    record.key = step.key;
    return host
        .copy_tree(changes.store().paths().root(plan::root_name(step.base.key)), root, step.stop)
        .and_then([&] { return image::customize(step.fleet, step.image, root, *workshop); })
        .and_then([&] { return image::customized_key(step.image, step.base.key, host); })
        .and_then([&](const Digest& key) -> Result<void> {
            if (key == step.key) return {};
            return fail(
                fmt::format("{}: files that go into it changed meanwhile; run apply again", place())
            );
        })
        .and_then([&] {
            if (step.progress) step.progress("writing the root tree to the disk");
            const std::string by = plan::made_by(plan::StepKind::customize_image, step.image.name);
            return keep_image(changes, record, root, {by, begun, step.inputs});
        })
        .and_then([&](const plan::ImageRecord& kept) {
            return host.remove_all(workshop->staging).map([&] { return kept; });
        });
}

}  // namespace bramble::apply
