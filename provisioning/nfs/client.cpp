#include "provisioning/nfs/client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nfsc/libnfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace bramble::nfs {

namespace {

// "mount_cb: RPC error: Mount failed with error MNT3ERR_ACCES(13) Permission denied(13)": what the
// server answered is the code alone.
std::string in_short(std::string_view reason) {
    for (const std::string_view kind : {"MNT3ERR_", "NFS3ERR_", "NFS4ERR_"}) {
        const auto begin = reason.find(kind);
        if (begin == std::string_view::npos) continue;
        const std::string_view code = reason.substr(begin);
        return fmt::format("the server answers {}", code.substr(0, code.find_first_of("( ")));
    }
    return std::string(reason);
}

}  // namespace

struct Client::Context {
    nfs_context* nfs = nullptr;
    std::string where;  // "172.16.1.1:/srv/root"
    bool mounted = false;

    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    ~Context() {
        if (mounted) nfs_umount(nfs);
        if (nfs != nullptr) nfs_destroy_context(nfs);
    }

    tl::unexpected<Error> failure(std::string_view doing, const std::string& path) const {
        const char* reason = nfs_get_error(nfs);
        return fail(fmt::format(
            "{} {}{}: {}",
            doing,
            where,
            path,
            in_short(reason != nullptr ? reason : "unknown error")
        ));
    }
};

namespace {

// libnfs 4.0 takes ports from URLs alone; the server and path of this one are not used.
Result<void> set_options(nfs_context* nfs, const MountOptions& options) {
    // Mounts of others below are not looked for: with a thousand exports that is a list of all of
    // them each time, and no board does it.
    std::string url = fmt::format(
        "nfs://127.0.0.1/?version={}&autoreconnect=0&auto-traverse-mounts=0", options.version
    );
    if (options.port != 0) url += fmt::format("&nfsport={}", options.port);
    if (options.mount_port != 0) url += fmt::format("&mountport={}", options.mount_port);
    nfs_url* parsed = nfs_parse_url_dir(nfs, url.c_str());
    if (parsed == nullptr) return fail(fmt::format("libnfs: {}", nfs_get_error(nfs)));
    nfs_destroy_url(parsed);
    if (options.beside_others && options.version == 4) {
        // Two mounts of one process and one second have one name in libnfs 4.0, and a server takes
        // the second for the first after a restart (RFC 7530 section 16.33.5). The name that it
        // had is lost memory, some 30 bytes.
        static std::atomic<unsigned> count = 0;
        nfs4_set_client_name(nfs, fmt::format("bramble {} {}", ::getpid(), ++count).c_str());
    }
    nfs_set_timeout(nfs, static_cast<int>(options.timeout.count()));
    return {};
}

EntryKind kind_of(std::uint64_t mode) {
    if (S_ISREG(mode)) return EntryKind::file;
    if (S_ISDIR(mode)) return EntryKind::directory;
    if (S_ISLNK(mode)) return EntryKind::symlink;
    return EntryKind::other;
}

}  // namespace

Client::Client(std::unique_ptr<Context> context) : context_(std::move(context)) {}

Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::mount(
    const std::string& server, const std::string& path, const MountOptions& options
) {
    auto context = std::make_unique<Context>();
    context->nfs = nfs_init_context();
    context->where = server + ":" + path;
    if (context->nfs == nullptr) return fail("libnfs: out of memory");
    if (auto set = set_options(context->nfs, options); !set) return tl::unexpected(set.error());
    if (nfs_mount(context->nfs, server.c_str(), path.c_str()) != 0)
        return context->failure(fmt::format("NFS {} mount of", options.version), "");
    context->mounted = true;
    return Client(std::move(context));
}

Result<Attributes> Client::status(const std::string& path) {
    nfs_stat_64 status{};
    if (nfs_lstat64(context_->nfs, path.c_str(), &status) != 0)
        return context_->failure("status of", path);
    return Attributes{
        kind_of(status.nfs_mode),
        status.nfs_size,
        static_cast<std::uint32_t>(status.nfs_mode & 07777U),
        static_cast<std::uint32_t>(status.nfs_uid),
        static_cast<std::uint32_t>(status.nfs_gid)};
}

Result<std::string> Client::read_file(const std::string& path, std::size_t bytes_max) {
    constexpr std::size_t chunk_bytes = 128U << 10U;  // lab facts, section 2: small reads are slow
    nfsfh* file = nullptr;
    if (nfs_open(context_->nfs, path.c_str(), O_RDONLY | O_NOFOLLOW, &file) != 0)
        return context_->failure("open of", path);
    std::string content;
    while (content.size() < bytes_max) {
        const std::size_t have = content.size();
        const std::size_t want = std::min(chunk_bytes, bytes_max - have);
        content.resize(have + want);
        const int count = nfs_pread(context_->nfs, file, have, want, content.data() + have);
        content.resize(have + static_cast<std::size_t>(std::max(count, 0)));
        if (count < 0) {
            auto failed = context_->failure("read of", path);
            nfs_close(context_->nfs, file);
            return failed;
        }
        if (count == 0) break;
    }
    nfs_close(context_->nfs, file);
    return content;
}

Result<std::string> Client::read_link(const std::string& path) {
    std::array<char, 4096> target{};
    if (nfs_readlink(context_->nfs, path.c_str(), target.data(), target.size()) != 0)
        return context_->failure("read of link", path);
    // libnfs 4.0 with version 4 takes the answer for a C string, which it is not: behind a target
    // of 4, 8, 12 … bytes stands what followed it on the wire. The link's size is the target's.
    const auto attributes = status(path);
    if (!attributes) return tl::unexpected(attributes.error());
    const std::string_view text(target.data());
    return std::string(text.substr(0, attributes->size));
}

Result<std::vector<std::string>> Client::list(const std::string& path) {
    nfsdir* directory = nullptr;
    if (nfs_opendir(context_->nfs, path.c_str(), &directory) != 0)
        return context_->failure("list of", path);
    std::vector<std::string> names;
    while (const nfsdirent* entry = nfs_readdir(context_->nfs, directory)) {
        const std::string name = entry->name;
        if (name != "." && name != "..") names.push_back(name);
    }
    nfs_closedir(context_->nfs, directory);
    std::sort(names.begin(), names.end());
    return names;
}

Result<Access> Client::access(const std::string& path) {
    const int allowed = nfs_access2(context_->nfs, path.c_str());
    if (allowed < 0) return context_->failure("rights on", path);
    return Access{(allowed & R_OK) != 0, (allowed & X_OK) != 0};
}

Result<Room> Client::room() {
    nfs_statvfs_64 status{};
    if (nfs_statvfs64(context_->nfs, "/", &status) != 0)
        return context_->failure("free space of", "");
    const std::uint64_t block_bytes = status.f_frsize;
    return Room{
        status.f_blocks * block_bytes,
        status.f_bavail * block_bytes,
        status.f_files,
        status.f_favail};
}

}  // namespace bramble::nfs
