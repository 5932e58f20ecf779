#include "provisioning/apply/shared_step.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "provisioning/root/initramfs.hpp"
#include "provisioning/root/layer.hpp"

namespace bramble::apply {

Result<layout::ObjectFile> make_initramfs(
    store::Changes& changes,
    const std::string& base,
    const std::function<void(std::string_view)>& progress
) {
    host::Host& host = changes.store().host();
    const host::Path tree = changes.store().paths().root(base);
    const auto releases = root::kernel_releases(host, tree);
    if (!releases) return tl::unexpected(releases.error());
    const auto initramfs = root::build_initramfs(host, tree, *releases);
    if (!initramfs) return tl::unexpected(initramfs.error());
    progress(fmt::format("for {}", fmt::join(initramfs->releases, ", ")));
    for (const std::string& reason : initramfs->left_out) progress("not for all: " + reason);
    const auto object = changes.add_object(initramfs->archive, store::Readers::everyone);
    if (!object) return tl::unexpected(object.error());
    return changes.record_initramfs(base, root::initramfs_recipe(), *object).map([&] {
        return *object;
    });
}

Result<plan::PackedIdentity> pack_identity(
    store::Changes& changes, const std::string& board, const plan::WantedRoot& wanted
) {
    host::Host& host = changes.store().host();
    const layout::StorePaths& paths = changes.store().paths();
    const host::Path kept = paths.board_identity(board);
    constexpr std::uint32_t private_mode = 0700;  // SSH host keys
    root::Layer layer(host, paths.root(wanted.base));
    const auto archive =
        host.make_directories(paths.board(board))
            .and_then([&] {
                return host.make_directories_in(
                    paths.board(board), kept.filename(), private_mode, {}
                );
            })
            .and_then([&] { return root::apply_identity(host, layer, kept, wanted.identity); })
            .and_then([&] { return layer.pack(); });
    if (!archive) return tl::unexpected(archive.error());
    const auto object = changes.add_object(*archive, store::Readers::group);
    if (!object) return tl::unexpected(object.error());
    plan::PackedIdentity packed{wanted.base, root::identity_key(wanted.identity), *object};
    return changes.record_packed_identity(board, packed).map([&] { return packed; });
}

}  // namespace bramble::apply
