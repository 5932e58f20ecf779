#include "provisioning/apply/workshop.hpp"

#include <algorithm>
#include <utility>

namespace bramble::apply {

Result<image::Workshop> open_workshop(
    store::Changes& changes,
    const std::string& name,
    std::function<void(std::string_view)> progress,
    std::stop_token stop
) {
    const layout::StorePaths& paths = changes.store().paths();
    const host::Path log = paths.store() / "logs" / (name + ".log");
    const host::Path downloads = paths.store() / "downloads";
    host::Host& host = changes.store().host();
    return host.make_directories(log.parent_path())
        .and_then([&] { return host.remove_all(log); })
        .and_then([&] { return host.make_directories(downloads); })
        .and_then([&] { return changes.stage("image"); })
        .map([&](const host::Path& staging) {
            return image::Workshop{
                host, staging, log, downloads, std::move(progress), std::move(stop)};
        });
}

Result<plan::ImageRecord> keep_image(
    store::Changes& changes,
    plan::ImageRecord record,
    const std::optional<host::Path>& root,
    Making making
) {
    host::Host& host = changes.store().host();
    const std::string name = plan::root_name(record.key);
    record.made_by = std::move(making.step);
    record.inputs = std::move(making.inputs);
    record.root_bytes = 0;
    if (root) {
        if (auto adopted = changes.adopt_root(*root, name); !adopted) {
            return tl::unexpected(adopted.error());
        }
        // For an estimate: not worth a failure.
        record.root_bytes =
            host.occupied_bytes(changes.store().paths().root(name)).value_or(std::uint64_t{0});
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(host.now() - making.begun).count();
    record.took_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0));
    return changes.record_image(record).map([&] { return std::move(record); });
}

}  // namespace bramble::apply
