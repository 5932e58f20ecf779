#include "provisioning/apply/nas_place.hpp"

#include <variant>

namespace bramble::apply {

std::optional<std::string> nas_place(const fleet::Fleet& fleet) {
    const auto* nas = std::get_if<fleet::NfsExternal>(&fleet.appliance.nfs);
    if (nas == nullptr) return std::nullopt;
    return nas->place();
}

host::Path on_nas(const layout::StorePaths& paths, const host::Path& tree) {
    return tree.lexically_relative(paths.store());
}

Result<std::unique_ptr<nfs::Nas>> open_nas(
    const nfs::NasOpener& open,
    const std::string& server,
    const host::Path& path,
    const std::stop_token& stop
) {
    nfs::NasPatience patience;
    patience.stop = stop;
    return open ? open(server, path, patience) : nfs::Nas::open(server, path, patience);
}

}  // namespace bramble::apply
