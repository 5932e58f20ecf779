#include "provisioning/apply/root_exports.hpp"

#include <map>
#include <optional>
#include <set>

#include "provisioning/nfs/exports.hpp"

namespace bramble::apply {
namespace {

// Who mounts a board's trees: an address (none: anyone of the network) and how.
struct Client {
    std::optional<Ipv4Address> address;
    std::string nfs_version;

    friend auto operator<=>(const Client&, const Client&) = default;
};

using Clients = std::map<std::string, std::set<Client>>;

Clients clients_of(const RootExports& wanted) {
    const std::string usual = nfs::ExportedRoot{}.nfs_version;
    Clients clients;
    for (const fleet::Board& board : wanted.fleet.boards) {
        const fleet::Profile* profile = wanted.fleet.find_profile(board.profile);
        clients[board.name].insert(
            {board.address, profile == nullptr ? usual : profile->root.nfs_version}
        );
    }
    for (const layout::Manifest* generation : wanted.generations) {
        for (const layout::BoardEntry& board : generation->boards) {
            clients[board.name].insert({board.address, board.root ? board.root->nfs_version : usual}
            );
        }
    }
    return clients;
}

// Whether any board wants NFS version 3 of a shared root: the older one needs more of the server.
std::string shared_version(const RootExports& wanted) {
    for (const fleet::Profile& profile : wanted.fleet.profiles) {
        if (profile.root.mode == fleet::RootMode::shared && profile.root.nfs_version == "3") {
            return "3";
        }
    }
    for (const layout::Manifest* generation : wanted.generations) {
        for (const layout::BoardEntry& board : generation->boards) {
            if (board.root && board.root->read_only && board.root->nfs_version == "3") return "3";
        }
    }
    return "4";
}

}  // namespace

Result<std::vector<std::string>> export_roots(
    const store::Store& store, const RootExports& wanted
) {
    std::vector<nfs::ExportedRoot> roots;
    for (const auto& [board, clients] : clients_of(wanted)) {
        const auto trees = store.board_roots(board);
        if (!trees) return tl::unexpected(trees.error());
        for (const plan::BoardRoot& tree : *trees) {
            if (wanted.leaves && wanted.leaves(board, tree.base)) continue;
            for (const Client& client : clients) {
                nfs::ExportedRoot root;
                root.board = board;
                root.path = store.paths().board_root(board, tree.base);
                root.client = client.address;
                root.nfs_version = client.nfs_version;
                roots.push_back(std::move(root));
            }
        }
    }
    const auto shared = store.shared_roots({});
    if (!shared) return tl::unexpected(shared.error());
    for (const auto& [base, initramfs] : *shared) {
        if (wanted.leaves && wanted.leaves("", base)) continue;
        nfs::ExportedRoot root;
        root.board = "those that share it";
        root.path = store.paths().root(base);
        root.read_only = true;
        root.nfs_version = shared_version(wanted);
        roots.push_back(std::move(root));
    }
    if (roots.empty() && !wanted.leaves) return std::vector<std::string>{};
    return nfs::publish_exports(store.host(), store.paths(), wanted.fleet.appliance, roots);
}

}  // namespace bramble::apply
