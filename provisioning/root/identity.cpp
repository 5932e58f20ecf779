#include "provisioning/root/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <sstream>

#include "provisioning/root/kept_identity.hpp"
#include "provisioning/root/network_managers.hpp"
#include "provisioning/root/scripts.hpp"
#include "provisioning/root/users.hpp"

namespace bramble::root {

namespace {

// Raised when what is written below changes, so that roots get it.
constexpr int recipe = 2;

// Units of images for SD cards that do harm on an NFS root or undo what is written here.
constexpr auto unwanted_units = std::to_array<const char*>({
    "dphys-swapfile.service",            // swaps to a file on the root
    "regenerate_ssh_host_keys.service",  // would replace the keys that the board keeps
    "resize2fs_once.service",            // grows a partition that is not there
    "rpi-resize-swap-file.service",
    "systemd-growfs-root.service",
});

constexpr std::string_view up_unit = R"(# Written by Bramble.
[Unit]
Description=Tell Bramble that this board is up
After=network.target

[Service]
Type=exec
ExecStart=/bin/sh /usr/local/lib/bramble/report-up
Nice=19
Restart=on-failure
RestartSec=60

[Install]
WantedBy=multi-user.target
)";

// One root while it gets its identity. Each step stops at the first error.
class Writer {
public:
    Writer(host::Host& host, Tree& tree, const host::Path& kept, const Identity& identity)
        : host_(host), tree_(tree), kept_(kept), identity_(identity) {}

    Result<void> write_names();
    Result<void> write_machine_id();
    Result<void> write_host_keys();
    Result<void> write_fstab();
    Result<void> write_resolver();
    Result<void> write_network();

    Result<void> write_users() { return root::write_users(tree_, identity_.users); }

    Result<void> write_units();

private:
    using Edit = std::function<std::string(std::string_view)>;

    bool exists(const host::Path& relative) const {
        const auto status = tree_.status(relative);
        return status && status->has_value();
    }

    // A link that leads nowhere counts as nothing there.
    Result<std::string> read_or_empty(const host::Path& relative) const {
        const auto status = tree_.status(relative);
        if (!status) return tl::unexpected(status.error());
        if (!*status) return std::string();
        auto text = tree_.read_file(relative);
        if (!text && (*status)->kind == host::FileKind::symlink) return std::string();
        return text;
    }

    Result<void> write(const host::Path& relative, std::string_view text, unsigned mode = 0644) {
        return tree_.write_file(relative, text, mode);
    }

    // Rewrites a file that is there; leaves it alone when nothing changes.
    Result<void> edit(const host::Path& relative, const Edit& change);

    host::Host& host_;  // for what is kept
    Tree& tree_;
    const host::Path& kept_;
    const Identity& identity_;
};

Result<void> Writer::edit(const host::Path& relative, const Edit& change) {
    const auto text = read_or_empty(relative);
    if (!text) return tl::unexpected(text.error());
    if (text->empty()) return {};
    const std::string changed = change(*text);
    if (changed == *text) return {};
    return write(relative, changed);
}

// hosts(5): the lines of the base that are about others stay.
std::string hosts_with(std::string_view text, const std::string& hostname) {
    std::string result = fmt::format("127.0.0.1 localhost\n127.0.1.1 {}\n", hostname);
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("127.0.0.1") && !line.starts_with("127.0.1.1")) result += line + '\n';
    if (result.find("::1") == std::string::npos)
        result += "::1 localhost ip6-localhost ip6-loopback\n";
    return result;
}

Result<void> Writer::write_names() {
    if (auto done = write("etc/hostname", identity_.hostname + '\n'); !done) return done;
    const auto hosts = read_or_empty("etc/hosts");
    if (!hosts) return tl::unexpected(hosts.error());
    return write("etc/hosts", hosts_with(*hosts, identity_.hostname));
}

Result<void> Writer::write_machine_id() {
    const auto id = kept_machine_id(host_, kept_);
    if (!id) return tl::unexpected(id.error());
    if (auto done = write("etc/machine-id", *id + '\n', 0444); !done) return done;
    // D-Bus would otherwise go by a copy that all boards of the image share.
    if (!exists("var/lib/dbus/machine-id")) return {};
    return tree_.symlink("var/lib/dbus/machine-id", "../../../etc/machine-id");
}

Result<void> Writer::write_host_keys() {
    if (!exists("etc/ssh")) return {};  // no SSH server in this root
    const auto keys = kept_host_keys(host_, kept_, identity_.hostname);
    if (!keys) return tl::unexpected(keys.error());
    // The image's own keys are the same on every board made from it: a board must not have them.
    const auto there = tree_.list("etc/ssh");
    if (!there) return tl::unexpected(there.error());
    for (const host::DirectoryEntry& entry : *there)
        if (entry.name.starts_with("ssh_host_"))
            if (auto done = tree_.remove(host::Path("etc/ssh") / entry.name); !done) return done;
    for (const HostKey& key : *keys) {
        const host::Path file = host::Path("etc/ssh") / key.name;
        if (auto done = write(file, key.secret_key, 0600); !done) return done;
        if (auto done = write(file.string() + ".pub", key.public_key); !done) return done;
    }
    return {};
}

// fstab(5) of an image names the card that it was made for. Its "/" goes without a successor:
// the root is mounted before init, and remounting it by fstab needs a helper that few roots have.
Result<void> Writer::write_fstab() {
    const auto old = read_or_empty("etc/fstab");
    if (!old) return tl::unexpected(old.error());
    std::string text = fmt::format(
        "# Bramble: / is {}:{} (NFS {}), mounted before init runs.\n",
        identity_.root.server,
        identity_.root.path.string(),
        identity_.root.nfs_version
    );
    std::istringstream lines(*old);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string device;
        std::string place;
        std::string type;
        words >> device >> place >> type;
        const bool of_the_card = place == "/" || place == "/boot" || place == "/boot/firmware" ||
                                 place == "/boot/efi" || type == "swap";
        if (!line.starts_with("# Bramble:") && !of_the_card) text += line + '\n';
    }
    return write("etc/fstab", text);
}

Result<void> Writer::write_resolver() {
    std::string text;
    for (const Ipv4Address server : identity_.dns)
        text += fmt::format("nameserver {}\n", server.to_string());
    if (!identity_.domain.empty()) text += fmt::format("search {}\n", identity_.domain);
    const auto status = tree_.status("etc/resolv.conf");
    if (!status) return tl::unexpected(status.error());
    if (*status && (*status)->kind == host::FileKind::symlink) {  // systemd-resolved writes it
        std::string servers;
        for (const Ipv4Address server : identity_.dns) servers += ' ' + server.to_string();
        return write(
            "etc/systemd/resolved.conf.d/bramble.conf",
            fmt::format("[Resolve]\nDNS={}\nDomains={}\n", servers, identity_.domain)
        );
    }
    return write("etc/resolv.conf", text);
}

Result<void> Writer::write_network() {
    const host::Path networkd = "etc/systemd/network";
    if (auto done = write(networkd / "05-bramble-root.network", networkd_network(identity_.mac));
        !done)
        return done;
    if (auto done = write(networkd / "05-bramble-root.link", networkd_link(identity_.mac)); !done)
        return done;
    if (exists("etc/NetworkManager"))
        if (auto done = write(
                "etc/NetworkManager/conf.d/05-bramble-root.conf",
                network_manager_conf(identity_.mac)
            );
            !done)
            return done;
    if (auto done = edit("etc/dhcpcd.conf", dhcpcd_conf); !done) return done;
    if (auto done = edit("etc/network/interfaces", ifupdown_interfaces); !done) return done;
    const host::Path more = "etc/network/interfaces.d";
    if (!exists(more)) return {};
    const auto there = tree_.list(more);
    if (!there) return tl::unexpected(there.error());
    for (const host::DirectoryEntry& entry : *there)
        if (entry.kind == host::FileKind::regular)
            if (auto done = edit(more / entry.name, ifupdown_interfaces); !done) return done;
    return {};
}

// Enabled by the links that `systemctl enable` would make: nothing of the root has to run.
Result<void> Writer::write_units() {
    std::string script(report_up_script);
    constexpr std::string_view mark = "%URL%";
    script.replace(script.find(mark), mark.size(), identity_.up_url);
    if (auto done = write("usr/local/lib/bramble/report-up", script, 0755); !done) return done;
    const host::Path units = "etc/systemd/system";
    if (auto done = write(units / "bramble-up.service", up_unit); !done) return done;
    if (auto done = tree_.symlink(
            units / "multi-user.target.wants/bramble-up.service", "../bramble-up.service"
        );
        !done)
        return done;
    for (const char* unit : unwanted_units) {
        const host::Path script_of_sysv = host::Path("etc/init.d") / host::Path(unit).stem();
        if (exists(host::Path("lib/systemd/system") / unit) || exists(script_of_sysv))
            if (auto done = tree_.symlink(units / unit, "/dev/null"); !done) return done;
    }
    return {};
}

// A length before each text, so that no two lists of texts look alike.
void feed(Sha256& sum, std::string_view text) {
    sum.update(fmt::format("{}:{}", text.size(), text));
}

}  // namespace

Digest identity_key(const Identity& identity) {
    Sha256 sum;
    feed(sum, std::to_string(recipe));
    feed(sum, report_up_script);
    for (const std::string& text :
         {identity.hostname,
          identity.server.to_string(),
          identity.address ? identity.address->to_string() : std::string(),
          identity.mac ? identity.mac->to_string() : std::string(),
          identity.root.server,
          identity.root.path.string(),
          identity.root.nfs_version,
          std::string(identity.root.read_only ? "ro" : "rw"),
          identity.up_url,
          identity.domain})
        feed(sum, text);
    feed(sum, std::to_string(identity.dns.size()));
    for (const Ipv4Address server : identity.dns) feed(sum, server.to_string());
    for (const fleet::User& user : identity.users) {
        feed(sum, user.name);
        feed(sum, user.password_hash ? "+" + *user.password_hash : std::string("-"));
        feed(sum, user.sudo ? "sudo" : "");
        feed(sum, std::to_string(user.authorized_keys.size()));
        for (const std::string& key : user.authorized_keys) feed(sum, key);
        for (const std::string& group : user.groups) feed(sum, "group " + group);
    }
    return sum.finish();
}

Result<void> apply_identity(
    host::Host& host, Tree& tree, const host::Path& kept, const Identity& identity
) {
    if (identity.up_url.find_first_of("'\\\n\r ") != std::string::npos ||
        !identity.up_url.starts_with("http://"))
        return fail(fmt::format("'{}' is no http:// address to report to", identity.up_url));
    Writer writer(host, tree, kept, identity);
    for (const auto step :
         {&Writer::write_names,
          &Writer::write_machine_id,
          &Writer::write_host_keys,
          &Writer::write_fstab,
          &Writer::write_resolver,
          &Writer::write_network,
          &Writer::write_users,
          &Writer::write_units})
        if (auto done = (writer.*step)(); !done)
            return fail(
                fmt::format("identity of board {}: {}", identity.hostname, done.error().message)
            );
    return {};
}

}  // namespace bramble::root
