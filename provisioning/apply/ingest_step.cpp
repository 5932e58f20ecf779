#include "provisioning/apply/ingest_step.hpp"

#include <fmt/format.h>

#include "provisioning/apply/workshop.hpp"
#include "provisioning/image/boot_files.hpp"
#include "provisioning/image/file_facts.hpp"
#include "provisioning/image/ingest.hpp"
#include "provisioning/plan/plan.hpp"

namespace bramble::apply {
namespace {

using host::Path;

// config.txt and cmdline.txt of an image; the firmware itself reads no more than 4096 bytes.
constexpr std::uint64_t text_bytes_max = 64U << 10U;

Result<void> add_boot_files(
    store::Changes& changes, const image::Ingested& ingested, plan::ImageRecord& record
) {
    host::Host& host = changes.store().host();
    const auto files = image::list_boot_files(host, *ingested.boot);
    if (!files) return tl::unexpected(files.error());
    auto facts = image::read_boot_facts(host, *files, ingested.root);
    if (!facts) return tl::unexpected(facts.error());
    record.facts = std::move(*facts);
    for (const auto& [path, source] : *files) {
        const auto object = changes.add_object(source);
        if (!object) return tl::unexpected(object.error());
        record.files[path] = *object;
        if (path != "config.txt" && path != "cmdline.txt") continue;
        auto text = host.read_file(source, text_bytes_max);
        if (!text) return tl::unexpected(text.error());
        (path == "config.txt" ? record.config_txt : record.cmdline_txt) = std::move(*text);
    }
    return {};
}

}  // namespace

Result<plan::ImageRecord> ingest_image(store::Changes& changes, const IngestStep& step) {
    host::Host& host = changes.store().host();
    const auto begun = host.now();
    const auto workshop = open_workshop(changes, step.image.name, step.progress, step.stop);
    if (!workshop) return tl::unexpected(workshop.error());
    const auto ingested = image::ingest(step.fleet, step.image, *workshop);
    if (!ingested) return tl::unexpected(ingested.error());
    plan::ImageRecord record;
    record.key = step.key;
    record.has_root = ingested->root.has_value();
    record.kernel_release = ingested->kernel_release;
    record.initramfs_mounts_nfs4 = ingested->initramfs_mounts_nfs4;
    record.release = ingested->release;
    record.taken_out = ingested->taken_out;
    if (ingested->boot) {
        if (auto added = add_boot_files(changes, *ingested, record); !added) {
            return tl::unexpected(added.error());
        }
    }
    const auto key = step.key_now();
    if (!key) return tl::unexpected(key.error());
    if (*key != step.key) {
        return fail(fmt::format(
            "image '{}': its source changed while it was read; run apply again when nobody "
            "writes to it",
            step.image.name
        ));
    }
    if (ingested->root && step.accept) {
        if (auto fits = step.accept(*ingested->root); !fits) return tl::unexpected(fits.error());
    }
    if (ingested->root && step.progress) step.progress("writing the root tree to the disk");
    Making making{plan::made_by(plan::StepKind::ingest_image, step.image.name), begun, step.inputs};
    return keep_image(changes, std::move(record), ingested->root, std::move(making))
        .and_then([&](const plan::ImageRecord& kept) {
            return host.remove_all(workshop->staging).map([&] { return kept; });
        });
}

}  // namespace bramble::apply
