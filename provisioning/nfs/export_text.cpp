#include "provisioning/nfs/export_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "config/types/digest.hpp"

namespace bramble::nfs {

namespace {

// One path with everyone who may mount it.
struct Group {
    std::map<std::string, bool> read_only_by_client;
    bool nfs_v3 = false;
};

bool is_exportable(std::string_view path) {
    return path.starts_with('/') && std::all_of(path.begin(), path.end(), [](char c) {
               return static_cast<unsigned char>(c) >= ' ' && c != '"' && c != '\\' && c != '\x7f';
           });
}

// By path, so that the text does not depend on the order of the boards.
Result<std::map<std::string, Group>> group_by_path(
    const Ipv4Network& boards, std::span<const ExportedRoot> roots
) {
    std::map<std::string, Group> groups;
    for (const ExportedRoot& root : roots) {
        const std::string path = root.path.string();
        if (!is_exportable(path))
            return fail(fmt::format(
                "the root of board {} cannot be exported: '{}' is not an absolute path without "
                "quotes, backslashes and control characters; choose another store",
                root.board,
                path
            ));
        Group& group = groups[path];
        const std::string client =
            root.client ? root.client->to_string()
                        : fmt::format("{}/{}", boards.network().to_string(), boards.prefix_bits());
        // Who may write by one entry may write.
        const auto [place, fresh] = group.read_only_by_client.emplace(client, root.read_only);
        if (!fresh) place->second = place->second && root.read_only;
        group.nfs_v3 = group.nfs_v3 || root.nfs_version.starts_with('3');
    }
    return groups;
}

// exports(5) tells file systems apart by this number; derived from the path it survives restarts
// and works on overlayfs, which has no number of its own.
std::string fsid(const std::string& path) {
    const std::string hex = Digest::of("export " + path).to_string();
    return fmt::format(
        "{}-{}-{}-{}-{}",
        hex.substr(0, 8),
        hex.substr(8, 4),
        hex.substr(12, 4),
        hex.substr(16, 4),
        hex.substr(20, 12)
    );
}

}  // namespace

Result<ExportIds> ExportIds::parse(std::string_view text) {
    ExportIds ids;
    std::set<std::uint16_t> taken;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        std::uint16_t id = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
        const std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
        if (error != std::errc() || id == 0 || !rest.starts_with(' '))
            return fail(fmt::format("'{}' is no export number and path", line));
        if (rest == " next") {
            ids.next_ = id;
        } else if (!taken.insert(id).second || !ids.ids_.emplace(rest.substr(1), id).second) {
            return fail(fmt::format("'{}' stands there twice", line));
        }
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return ids;
}

Result<ExportIds> ExportIds::with(std::span<const ExportedRoot> roots) const {
    ExportIds result;
    result.next_ = next_;
    std::set<std::uint16_t> taken;
    for (const auto& [path, id] : ids_) taken.insert(id);
    for (const ExportedRoot& root : roots) {
        const std::string path = root.path.string();
        if (result.ids_.contains(path)) continue;
        if (const auto kept = ids_.find(path); kept != ids_.end()) {
            result.ids_.insert(*kept);
            continue;
        }
        if (taken.size() >= id_max)
            return fail(fmt::format("more than {} roots to export", id_max));
        while (result.next_ == 0 || taken.contains(result.next_)) ++result.next_;
        taken.insert(result.next_);
        result.ids_.emplace(path, result.next_++);
    }
    if (result.next_ == 0) result.next_ = 1;
    return result;
}

std::string ExportIds::to_text() const {
    std::string text = fmt::format("{} next\n", next_);
    for (const auto& [path, id] : ids_) text += fmt::format("{} {}\n", id, path);
    return text;
}

Result<std::string> ganesha_configuration(
    const GaneshaSettings& settings, std::span<const ExportedRoot> roots, const ExportIds& ids
) {
    const auto groups = group_by_path(settings.boards, roots);
    if (!groups) return tl::unexpected(groups.error());
    const std::string own = settings.boards.address().to_string();
    std::string text = fmt::format(
        "# Written by Bramble; 'bramble apply' replaces it.\n"
        "NFS_CORE_PARAM {{\n"
        "    Protocols = {};\n"
        "    Bind_addr = {};\n"
        "    NFS_Port = {};\n"
        "    MNT_Port = {};\n"
        "    Enable_NLM = false;\n"
        "    Enable_RQUOTA = false;\n"
        "}}\n"
        "NFSv4 {{\n"
        "    Minor_Versions = 0, 1, 2;\n"
        "    RecoveryBackend = fs;\n"
        "    RecoveryRoot = \"{}\";\n"
        "    Lease_Lifetime = 15;\n"
        "    Grace_Period = 20;\n"
        // Boards know none of this machine's names: an owner that is not a number becomes nobody
        // there, and a set-user-ID program of nobody's is no superuser (RFC 7530 section 5.9).
        "    Only_Numeric_Owners = true;\n"
        "}}\n",
        settings.nfs_v3 ? "3, 4" : "4",
        own,
        nfs_port,
        mount_port,
        settings.recovery.string()
    );
    for (const auto& [path, group] : *groups) {
        if (group.nfs_v3 && !settings.nfs_v3)
            return fail(fmt::format(
                "{} is to be mounted by NFS version 3, which Ganesha does only beside rpcbind: "
                "install the package rpcbind, or set root: {{nfs_version: 4.2}}",
                path
            ));
        text += fmt::format(
            "EXPORT {{\n"
            "    Export_Id = {};\n"
            "    Path = \"{}\";\n"
            "    Pseudo = \"{}\";\n"
            "    Protocols = {};\n"
            "    Transports = TCP;\n"
            "    SecType = sys;\n"
            "    Squash = No_Root_Squash;\n"
            "    PrivilegedPort = true;\n"
            "    Access_Type = None;\n"
            "    FSAL {{ Name = VFS; }}\n",
            ids.of(path),
            path,
            path,
            settings.nfs_v3 ? "3, 4" : "4"
        );
        for (const auto& [client, read_only] : group.read_only_by_client)
            text += fmt::format(
                "    CLIENT {{ Clients = {}; Access_Type = {}; }}\n",
                client,
                read_only ? "RO" : "RW"
            );
        if (!group.read_only_by_client.contains(own))
            text += fmt::format("    CLIENT {{ Clients = {}; Access_Type = RO; }}\n", own);
        text += "}\n";
    }
    return text;
}

bool wants_rpcbind(std::string_view ganesha_configuration) {
    return ganesha_configuration.find("\n    Protocols = 3, 4;\n    Bind_addr") !=
           std::string_view::npos;
}

std::vector<ExportedRoot> exported_roots(std::string_view ganesha_configuration) {
    constexpr std::string_view begin = "\n    Path = \"";
    std::vector<ExportedRoot> roots;
    std::size_t at = 0;
    while ((at = ganesha_configuration.find(begin, at)) != std::string_view::npos) {
        at += begin.size();
        ExportedRoot& root = roots.emplace_back();
        root.path = ganesha_configuration.substr(at, ganesha_configuration.find('"', at) - at);
        root.nfs_version = wants_rpcbind(ganesha_configuration) ? "3" : "4";
    }
    return roots;
}

Result<std::string> kernel_exports(const Ipv4Network& boards, std::span<const ExportedRoot> roots) {
    const auto groups = group_by_path(boards, roots);
    if (!groups) return tl::unexpected(groups.error());
    const std::string own = boards.address().to_string();
    std::string text = "# Written by Bramble; 'bramble apply' replaces it.\n";
    for (const auto& [path, group] : *groups) {
        const std::string options =
            fmt::format("sync,no_subtree_check,no_root_squash,secure,fsid={}", fsid(path));
        text += fmt::format("\"{}\"", path);
        for (const auto& [client, read_only] : group.read_only_by_client)
            text += fmt::format(" {}({},{})", client, read_only ? "ro" : "rw", options);
        if (!group.read_only_by_client.contains(own))
            text += fmt::format(" {}(ro,{})", own, options);
        text += '\n';
    }
    return text;
}

}  // namespace bramble::nfs
