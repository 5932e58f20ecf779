#include "tests/support/virtual_fleet/root_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nfsc/libnfs.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>

#include "services/wire_board/up_report.hpp"

namespace bramble::virtual_fleet {

namespace {

constexpr std::size_t file_bytes_max = 16U << 20U;
constexpr int links_max = 16;
constexpr int call_timeout_ms = 5000;

// "port" of "vers=3,port=2049".
std::string option_of(std::string_view options, std::string_view name) {
    while (!options.empty()) {
        const auto comma = options.find(',');
        const std::string_view option = options.substr(0, comma);
        if (option.starts_with(name) && option.substr(name.size()).starts_with('=')) {
            return std::string(option.substr(name.size() + 1));
        }
        options = comma == std::string_view::npos ? std::string_view() : options.substr(comma + 1);
    }
    return "";
}

class Root {
public:
    static Result<Root> mount(const virtual_board::MountRoot& wanted) {
        Root root;
        root.nfs_.reset(nfs_init_context());
        nfs_context* nfs = root.nfs_.get();
        const bool v4 = wanted.version.starts_with('4');
        // libnfs 4.0 takes these from a URL alone; its server and path are not used.
        std::string url = fmt::format("nfs://127.0.0.1/?version={}&autoreconnect=0", v4 ? 4 : 3);
        const std::string port = option_of(wanted.options, "port");
        const std::string mount_port = option_of(wanted.options, "mountport");
        if (v4 || !port.empty()) url += "&nfsport=" + (port.empty() ? "2049" : port);
        if (!v4 && !mount_port.empty()) url += "&mountport=" + mount_port;
        nfs_url* parsed = nfs_parse_url_dir(nfs, url.c_str());
        if (parsed == nullptr) return fail(fmt::format("libnfs: {}", nfs_get_error(nfs)));
        nfs_destroy_url(parsed);
        nfs_set_timeout(nfs, call_timeout_ms);
        if (nfs_mount(nfs, wanted.server.c_str(), wanted.path.c_str()) != 0) {
            return fail(fmt::format(
                "NFS {} mount of {}:{}: {}",
                wanted.version,
                wanted.server,
                wanted.path,
                nfs_get_error(nfs)
            ));
        }
        root.read_bytes_ = std::clamp<std::size_t>(wanted.rsize, 512, nfs_get_readmax(nfs));
        return root;
    }

    // Whole, following symbolic links within the root as a chroot would.
    Result<std::string> read(const std::string& path) {
        const auto real = resolve(path);
        if (!real) return tl::unexpected(real.error());
        nfsfh* file = nullptr;
        if (nfs_open(nfs_.get(), real->c_str(), O_RDONLY, &file) != 0) return failure(path);
        std::string content;
        std::string block(read_bytes_, '\0');
        int got = 0;
        while (content.size() < file_bytes_max &&
               (got = nfs_read(nfs_.get(), file, block.size(), block.data())) > 0) {
            content.append(block, 0, static_cast<std::size_t>(got));
        }
        nfs_close(nfs_.get(), file);
        if (got < 0) return failure(path);
        bytes_ += content.size();
        return content;
    }

    std::uint64_t bytes() const { return bytes_; }

private:
    struct Destroy {
        void operator()(nfs_context* nfs) const { nfs_destroy_context(nfs); }
    };

    tl::unexpected<Error> failure(const std::string& path) const {
        return fail(fmt::format("{}: {}", path, nfs_get_error(nfs_.get())));
    }

    Result<std::string> resolve(const std::string& path) {
        std::filesystem::path real = "/";
        std::deque<std::string> parts;
        for (const auto& part : std::filesystem::path(path)) parts.push_back(part);
        int links = 0;
        while (!parts.empty()) {
            const std::string part = parts.front();
            parts.pop_front();
            if (part == "/") real = "/";
            if (part == "/" || part == "." || part.empty()) continue;
            if (part == "..") {
                real = real.parent_path();
                continue;
            }
            const std::filesystem::path next = real / part;
            nfs_stat_64 status{};
            if (nfs_lstat64(nfs_.get(), next.c_str(), &status) != 0) return failure(next);
            if (!S_ISLNK(status.nfs_mode)) {
                real = next;
                continue;
            }
            std::string target(4096, '\0');
            if (++links > links_max ||
                nfs_readlink(nfs_.get(), next.c_str(), target.data(), 4095) != 0) {
                return failure(next);
            }
            std::deque<std::string> before;
            for (const auto& word : std::filesystem::path(target.c_str())) before.push_back(word);
            parts.insert(parts.begin(), before.begin(), before.end());
        }
        return real.string();
    }

    std::unique_ptr<nfs_context, Destroy> nfs_;
    std::size_t read_bytes_ = 4096;
    std::uint64_t bytes_ = 0;
};

}  // namespace

Result<RootSeen> read_root(const virtual_board::MountRoot& mount) {
    auto root = Root::mount(mount);
    if (!root) return tl::unexpected(root.error());
    for (const char* path : {"/sbin/init", "/etc/fstab"}) {
        const auto content = root->read(path);
        if (!content) return tl::unexpected(content.error());
        if (content->empty()) return fail(std::string(path) + " is empty");
    }
    RootSeen seen;
    seen.hostname = root->read("/etc/hostname").value_or("");
    seen.hostname = seen.hostname.substr(0, seen.hostname.find('\n'));
    seen.up_url =
        wire_board::up_url_in(root->read("/usr/local/lib/bramble/report-up").value_or(""));
    seen.bytes = root->bytes();
    seen.mount = std::make_shared<Root>(std::move(*root));
    return seen;
}

}  // namespace bramble::virtual_fleet
