#include "provisioning/nfs/verify.hpp"

#include <fmt/format.h>

#include <set>
#include <thread>
#include <utility>

namespace bramble::nfs {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause{100};

Result<void> look(const std::string& server, const std::string& path, const MountOptions& options) {
    auto client = Client::mount(server, path, options);
    if (!client) return tl::unexpected(client.error());
    const auto names = client->list("/");
    if (!names) return tl::unexpected(names.error());
    if (names->empty()) return fail(fmt::format("{}:{} is empty", server, path));
    return {};
}

}  // namespace

Result<void> verify_exports(
    Ipv4Address server,
    std::span<const ExportedRoot> roots,
    std::uint16_t mount_port,
    std::chrono::milliseconds patience
) {
    const auto until = Clock::now() + patience;
    std::set<std::pair<std::string, unsigned>> seen;
    std::string problems;
    for (const ExportedRoot& root : roots) {
        const unsigned version = root.nfs_version.starts_with('3') ? 3 : 4;
        if (!seen.emplace(root.path.string(), version).second) continue;
        MountOptions options;
        options.version = version;
        options.mount_port = mount_port;
        auto there = look(server.to_string(), root.path.string(), options);
        while (!there && Clock::now() < until) {
            std::this_thread::sleep_for(pause);
            there = look(server.to_string(), root.path.string(), options);
        }
        if (!there)
            problems += fmt::format(
                "\n  {}{}: {}",
                root.path.string(),
                root.board.empty() ? "" : " (board " + root.board + ")",
                there.error().message
            );
    }
    if (problems.empty()) return {};
    return fail(fmt::format(
        "the NFS server at {} does not export:{}\nlook at its log for the reason",
        server.to_string(),
        problems
    ));
}

}  // namespace bramble::nfs
