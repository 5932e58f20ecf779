// Stands in for the export configuration in a build without it.
#include "provisioning/nfs/exports.hpp"

namespace bramble::nfs {

Result<std::vector<std::string>>
publish_exports(host::Host&, const layout::StorePaths&, const fleet::Appliance&, std::span<const ExportedRoot>) {
    return std::vector<std::string>{"this build configures no NFS server"};
}

}  // namespace bramble::nfs
