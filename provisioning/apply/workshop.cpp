#include "provisioning/apply/workshop.hpp"

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

}  // namespace bramble::apply
