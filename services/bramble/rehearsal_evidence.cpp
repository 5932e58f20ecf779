#include "services/bramble/rehearsal_evidence.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "config/types/ipv4.hpp"
#include "provisioning/nfs/client.hpp"
#include "provisioning/nfs/export_text.hpp"
#include "provisioning/root/cpio.hpp"
#include "services/bramble/mounted_root.hpp"

namespace bramble::program {
namespace {

using rehearsal::EntryKind;
using rehearsal::RootEntry;

constexpr int connect_patience_ms = 1000;

std::string_view text_of(const tftp::Content& content) {
    return {reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size()};
}

// ---- on the disk

EntryKind kind_of(host::FileKind kind) {
    switch (kind) {
        case host::FileKind::regular:
            return EntryKind::file;
        case host::FileKind::directory:
            return EntryKind::directory;
        case host::FileKind::symlink:
            return EntryKind::symlink;
        default:
            break;
    }
    return EntryKind::other;
}

class StoredRoot final : public rehearsal::RootTree {
public:
    StoredRoot(host::Host& host, host::Path root) : host_(host), root_(std::move(root)) {}

    std::string how() const override {
        return fmt::format("looked at in {}, because no NFS server answers", root_.string());
    }

    Result<std::optional<RootEntry>> status(const std::string& path) override {
        const auto found = host_.status(on_disk(path));
        if (!found) return tl::unexpected(found.error());
        if (!*found) return std::optional<RootEntry>();
        return std::optional(RootEntry{kind_of((*found)->kind), (*found)->mode});
    }

    Result<std::string> read_link(const std::string& path) override {
        const auto target = host_.read_link(on_disk(path));
        if (!target) return tl::unexpected(target.error());
        return target->string();
    }

    Result<std::string> read_file(const std::string& path) override {
        return host_.read_file_in(root_, path.substr(1));
    }

    Result<std::vector<std::string>> list(const std::string& path) override {
        const auto entries = host_.list(on_disk(path));
        if (!entries) return tl::unexpected(entries.error());
        std::vector<std::string> names;
        for (const host::DirectoryEntry& entry : *entries) names.push_back(entry.name);
        return names;
    }

private:
    host::Path on_disk(const std::string& path) const { return root_ / path.substr(1); }

    host::Host& host_;
    host::Path root_;
};

}  // namespace

Result<std::shared_ptr<const tftp::Content>> StoreEvidence::open(const layout::ObjectFile& object) {
    return objects_.open(object);
}

Result<std::string> StoreEvidence::unpacked(const tftp::Content& kernel) {
    return root::decompress(text_of(kernel));
}

Result<rehearsal::InitramfsFacts> StoreEvidence::initramfs(const tftp::Content& archive) {
    const auto entries = root::read_cpio(text_of(archive));
    if (!entries) return tl::unexpected(entries.error());
    rehearsal::InitramfsFacts facts;
    for (const root::CpioEntry& entry : *entries) {
        const std::string_view path = entry.path;
        if (path == "init") facts.has_init = true;
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (name == "nfsmount") facts.mounts_by_klibc = true;
    }
    return facts;
}

// Whether anybody listens on the NFS port: a refusal of one export is then an answer, not an
// absence.
bool StoreEvidence::server_answers(const std::string& server) {
    if (const auto known = answers_.find(server); known != answers_.end()) return known->second;
    bool& answer = answers_[server];
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(nfs::nfs_port);
    if (::inet_pton(AF_INET, server.c_str(), &address.sin_addr) != 1) {
        return answer = true;  // a name: libnfs resolves it, or says why not
    }
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return answer = false;
    const int connected =
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (connected != 0 && errno != EINPROGRESS) {  // no route, for one
        ::close(socket);
        return answer = false;
    }
    pollfd wait{socket, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    answer = ::poll(&wait, 1, connect_patience_ms) == 1 &&
             ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    ::close(socket);
    return answer;
}

Result<std::unique_ptr<rehearsal::RootTree>> StoreEvidence::mount(
    const rehearsal::RootWanted& wanted
) {
    if (server_answers(wanted.server)) {
        nfs::MountOptions options;
        options.version = wanted.version.starts_with('4') ? 4 : 3;
        options.mount_port = nfs::mount_port;
        auto client = nfs::Client::mount(wanted.server, wanted.path, options);
        if (!client && options.version == 3) {  // a NAS has its mount service at another port
            options.mount_port = 0;
            auto again = nfs::Client::mount(wanted.server, wanted.path, options);
            if (again) client = std::move(again);
        }
        if (!client) return tl::unexpected(client.error());
        return std::make_unique<MountedRoot>(
            std::move(*client),
            fmt::format("{} mounted by NFS {} from {}", wanted.path, options.version, wanted.server)
        );
    }
    const host::Path path(wanted.path);
    const auto there = host_.status(path);
    if (!there) return tl::unexpected(there.error());
    if (!*there || (*there)->kind != host::FileKind::directory) {
        return fail(fmt::format(
            "no NFS server answers at {}, and there is no directory {} here",
            wanted.server,
            wanted.path
        ));
    }
    return std::make_unique<StoredRoot>(host_, path);
}

}  // namespace bramble::program
