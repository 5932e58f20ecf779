#include "provisioning/nfs/exports.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "provisioning/nfs/export_text.hpp"
#include "provisioning/nfs/verify.hpp"

namespace bramble::nfs {

namespace {

using Warnings = std::vector<std::string>;

constexpr std::chrono::milliseconds patience{5000};

bool kernel_can_serve(host::Host& host) {
    const auto filesystems = host.read_file("/proc/filesystems", 1U << 16U);
    if (filesystems && filesystems->find("\tnfsd\n") != std::string::npos) return true;
    if (!host.has_program("modprobe")) return false;
    host::Command ask;
    ask.argv = {"modprobe", "--dry-run", "--quiet", "nfsd"};
    const auto answer = host.run(ask);
    return answer && answer->exit_code == 0;
}

// Answers whether the file was another one before.
Result<bool> write_if_changed(host::Host& host, const host::Path& path, const std::string& text) {
    const auto there = host.status(path);
    if (!there) return tl::unexpected(there.error());
    if (*there) {
        const auto before = host.read_file(path);
        if (before && *before == text) return false;
    }
    if (auto done = host.make_directories(path.parent_path()); !done)
        return tl::unexpected(done.error());
    if (auto done = host.write_file(path, text); !done) return tl::unexpected(done.error());
    return true;
}

// ---- the kernel's server

bool kernel_server_runs(host::Host& host) {
    const auto threads = host.read_file("/proc/fs/nfsd/threads", 64);
    return threads && !threads->empty() && threads->front() != '0';
}

Result<Warnings> publish_to_kernel(
    host::Host& host,
    const Ipv4Network& boards,
    std::span<const ExportedRoot> roots,
    const Verifier& verify
) {
    const auto text = kernel_exports(boards, roots);
    if (!text) return tl::unexpected(text.error());
    const auto changed = write_if_changed(host, host::Path(kernel_exports_file), *text);
    if (!changed) return tl::unexpected(changed.error());
    if (*changed) {
        host::Command refresh;
        refresh.argv = {"exportfs", "-r"};
        if (auto ran = run_or_fail(host, refresh); !ran) return tl::unexpected(ran.error());
    }
    if (!kernel_server_runs(host))
        return Warnings{
            "the kernel's NFS server does not run, so boards find no root: "
            "systemctl enable --now nfs-server"};
    if (auto there = verify(boards.address(), roots, 0, patience); !there)
        return tl::unexpected(there.error());
    return Warnings{};
}

// ---- Ganesha

// The process number in the pid file, when that process is a Ganesha.
std::optional<std::string> running_ganesha(host::Host& host, const layout::StorePaths& store) {
    auto pid = host.read_file(ganesha_pid_file(store), 32);
    if (!pid) return std::nullopt;
    while (!pid->empty() && pid->back() == '\n') pid->pop_back();
    const bool digits = !pid->empty() && std::all_of(pid->begin(), pid->end(), [](char c) {
        return c >= '0' && c <= '9';
    });
    if (!digits) return std::nullopt;
    const auto name = host.read_file("/proc/" + *pid + "/comm", 64);
    if (!name || *name != "ganesha.nfsd\n") return std::nullopt;
    return *pid;
}

bool in_our_network(host::Host& host, const std::string& pid) {
    const auto theirs = host.read_link("/proc/" + pid + "/ns/net");
    const auto ours = host.read_link("/proc/self/ns/net");
    return theirs && ours && *theirs == *ours;
}

Result<ExportIds> renew_ids(
    host::Host& host, const layout::StorePaths& store, std::span<const ExportedRoot> roots
) {
    const host::Path file = store.nfs() / "export-numbers";
    const auto there = host.status(file);
    if (!there) return tl::unexpected(there.error());
    ExportIds before;
    if (*there) {
        const auto text = host.read_file(file);
        if (!text) return tl::unexpected(text.error());
        auto ids = ExportIds::parse(*text);
        if (!ids)
            return fail(fmt::format(
                "{}: {}; remove it and apply again (boards that run then need a restart)",
                file.string(),
                ids.error().message
            ));
        before = std::move(*ids);
    }
    auto ids = before.with(roots);
    if (!ids) return ids;
    // Numbers are on disk before any server hands them out.
    if (auto written = write_if_changed(host, file, ids->to_text()); !written)
        return tl::unexpected(written.error());
    return ids;
}

Result<Warnings> publish_to_ganesha(
    host::Host& host,
    const layout::StorePaths& store,
    const Ipv4Network& boards,
    std::span<const ExportedRoot> roots,
    const Verifier& verify
) {
    const auto ids = renew_ids(host, store, roots);
    if (!ids) return tl::unexpected(ids.error());
    GaneshaSettings settings;
    settings.boards = boards;
    settings.nfs_v3 = host.has_program("rpcbind");
    settings.recovery = ganesha_recovery(store);
    if (auto done = host.make_directories(settings.recovery); !done)
        return tl::unexpected(done.error());
    const auto text = ganesha_configuration(settings, roots, *ids);
    if (!text) return tl::unexpected(text.error());
    const auto changed = write_if_changed(host, ganesha_configuration_file(store), *text);
    if (!changed) return tl::unexpected(changed.error());

    const auto pid = running_ganesha(host, store);
    if (!pid) return Warnings{};  // who starts it verifies
    if (*changed) {
        host::Command reload;
        reload.argv = {"sh", "-c", "kill -HUP \"$0\"", *pid};
        if (auto ran = run_or_fail(host, reload); !ran) return tl::unexpected(ran.error());
    }
    if (!in_our_network(host, *pid))
        return Warnings{
            "the NFS server runs in another network namespace: its exports were not verified"};
    if (auto there = verify(boards.address(), roots, mount_port, patience); !there)
        return tl::unexpected(there.error());
    return Warnings{};
}

// What an earlier apply told the kernel's server is not to linger.
Result<void> withdraw_from_kernel(host::Host& host) {
    const host::Path file(kernel_exports_file);
    const auto there = host.status(file);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return {};
    if (auto done = host.remove_all(file); !done) return done;
    if (!host.has_program("exportfs")) return {};
    host::Command refresh;
    refresh.argv = {"exportfs", "-r"};
    if (auto ran = run_or_fail(host, refresh); !ran) return tl::unexpected(ran.error());
    return {};
}

}  // namespace

host::Path ganesha_configuration_file(const layout::StorePaths& store) {
    return store.nfs() / "ganesha.conf";
}

host::Path ganesha_pid_file(const layout::StorePaths& store) {
    return store.nfs() / "ganesha.pid";
}

host::Path ganesha_recovery(const layout::StorePaths& store) {
    return store.nfs() / "recovery";
}

Result<Server> choose_server(host::Host& host, const fleet::NfsBackend& backend) {
    if (std::holds_alternative<fleet::NfsExternal>(backend)) return Server::external;
    const bool either = std::holds_alternative<fleet::NfsAuto>(backend);
    const bool exportfs = host.has_program("exportfs");
    if (either || std::holds_alternative<fleet::NfsKernel>(backend)) {
        if (exportfs && kernel_can_serve(host)) return Server::kernel;
        if (!either)
            return fail(
                exportfs
                    ? "nfs: backend: kernel, but this kernel has no nfsd: use backend: ganesha"
                    : "nfs: backend: kernel, but exportfs is missing: install nfs-kernel-server"
            );
    }
    if (host.has_program("ganesha.nfsd")) return Server::ganesha;
    return fail(
        either
            ? "no NFS server for the boards' roots: install nfs-kernel-server, or nfs-ganesha with "
              "nfs-ganesha-vfs and rpcbind"
            : "nfs: backend: ganesha, but ganesha.nfsd is missing: install nfs-ganesha, "
              "nfs-ganesha-vfs and rpcbind"
    );
}

Result<Warnings> publish_exports(
    host::Host& host,
    const layout::StorePaths& store,
    const fleet::Appliance& appliance,
    std::span<const ExportedRoot> roots,
    const Verifier& verify
) {
    const auto server = choose_server(host, appliance.nfs);
    if (!server) {
        if (roots.empty()) return Warnings{};  // boards with boot files only
        return tl::unexpected(server.error());
    }
    const Verifier look = verify ? verify : Verifier(verify_exports);
    if (*server == Server::kernel) return publish_to_kernel(host, appliance.address, roots, look);
    if (auto done = withdraw_from_kernel(host); !done) return tl::unexpected(done.error());
    if (*server == Server::external) return Warnings{};
    return publish_to_ganesha(host, store, appliance.address, roots, look);
}

}  // namespace bramble::nfs
