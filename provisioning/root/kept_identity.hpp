// What a board keeps when its root is made anew, so that its peers still recognise it: machine-id
// and SSH host keys, made once. It refuses to know where a root keeps them.
#pragma once

#include <string>
#include <vector>

#include "config/types/result.hpp"
#include "provisioning/host/host.hpp"

namespace bramble::root {

struct HostKey {
    std::string name;        // "ssh_host_ed25519_key"
    std::string secret_key;  // OpenSSH's text form
    std::string public_key;
};

// 32 hex digits, machine-id(5); random the first time, then read from `kept`/machine-id. Errors:
// the host's, a file there that holds something else.
[[nodiscard]] Result<std::string> kept_machine_id(host::Host& host, const host::Path& kept);

// The board's keys in `kept`/ssh, made by ssh-keygen the first time; all of them or none appear
// there. Errors: the host's, ssh-keygen missing (package openssh-client).
[[nodiscard]] Result<std::vector<HostKey>> kept_host_keys(
    host::Host& host, const host::Path& kept, const std::string& hostname
);

}  // namespace bramble::root
