// Which paths of a root belong to a board's identity as Bramble writes it. It refuses to know what
// stands in them.
#pragma once

#include <array>
#include <string_view>

namespace bramble::root {

// What apply_identity writes, so that a board's own changes can be told apart from it.
constexpr bool is_identity_path(std::string_view path) {
    constexpr std::array<std::string_view, 18> written = {
        "etc/hostname",
        "etc/hosts",
        "etc/machine-id",
        "var/lib/dbus/machine-id",
        "etc/fstab",
        "etc/resolv.conf",
        "etc/systemd/resolved.conf.d",
        "etc/systemd/network/05-bramble-root.",
        "etc/systemd/system/bramble-up.service",
        "etc/systemd/system/multi-user.target.wants/bramble-up.service",
        "etc/NetworkManager/conf.d/05-bramble-root.conf",
        "etc/dhcpcd.conf",
        "etc/network/interfaces",
        "etc/passwd",
        "etc/shadow",
        "etc/group",
        "etc/gshadow",
        "usr/local/lib/bramble",
    };
    for (const std::string_view one : written) {
        if (path.starts_with(one)) return true;
    }
    return path.starts_with("etc/ssh/ssh_host_") || path.starts_with("etc/sudoers.d/bramble-");
}

// What no other board may ever have: an image made of a board's root goes without it.
constexpr bool is_secret_of_one_board(std::string_view path) {
    return path.starts_with("etc/ssh/ssh_host_") || path == "etc/machine-id" ||
           path == "var/lib/systemd/random-seed" || path == "var/lib/systemd/credential.secret";
}

}  // namespace bramble::root
