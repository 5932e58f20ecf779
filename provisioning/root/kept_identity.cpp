#include "provisioning/root/kept_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/types/text.hpp"

namespace bramble::root {

namespace {

// RSA is left out: a key takes a second of a slow machine, and every client since 2011 knows these.
constexpr auto key_types = std::to_array<const char*>({"ed25519", "ecdsa"});

std::string key_name(const std::string& type) {
    return "ssh_host_" + type + "_key";
}

Result<void> make_host_keys(host::Host& host, const host::Path& kept, const std::string& hostname) {
    if (!host.has_program("ssh-keygen"))
        return fail("ssh-keygen is missing: install the package openssh-client");
    const host::Path aside = kept / "ssh.new";
    if (auto done = host.remove_all(aside); !done) return done;
    if (auto done = host.make_directories(aside); !done) return done;
    for (const std::string type : key_types) {
        host::Command command;
        command.argv = {"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "root@" + hostname, "-f"};
        command.argv.push_back(aside / key_name(type));
        if (auto ran = run_or_fail(host, command); !ran) return tl::unexpected(ran.error());
    }
    if (auto done = host.sync_tree(aside); !done) return done;
    return host.rename(aside, kept / "ssh");
}

}  // namespace

Result<std::string> kept_machine_id(host::Host& host, const host::Path& kept) {
    const host::Path file = kept / "machine-id";
    const auto there = host.status(file);
    if (!there) return tl::unexpected(there.error());
    if (*there) {
        auto text = host.read_file(file, 64);
        if (!text) return text;
        while (!text->empty() && text->back() == '\n') text->pop_back();
        if (text->size() == 32 &&
            std::all_of(text->begin(), text->end(), [](char c) { return hex_value(c) >= 0; }))
            return text;
        return fail(fmt::format(
            "{} is not 32 hex digits: remove it, and the board gets a new one", file.string()
        ));
    }
    auto random = host.random_bytes(16);
    if (!random) return random;
    // machine-id(5): the form of a random UUID, RFC 4122 section 4.4 (version 4, variant 1).
    (*random)[6] = static_cast<char>((static_cast<unsigned char>((*random)[6]) & 0x0fU) | 0x40U);
    (*random)[8] = static_cast<char>((static_cast<unsigned char>((*random)[8]) & 0x3fU) | 0x80U);
    std::string id;
    for (const char byte : *random) id += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    if (auto done = host.make_directories(kept); !done) return tl::unexpected(done.error());
    if (auto done = host.write_file(file, id + '\n'); !done) return tl::unexpected(done.error());
    return id;
}

Result<std::vector<HostKey>> kept_host_keys(
    host::Host& host, const host::Path& kept, const std::string& hostname
) {
    const auto there = host.status(kept / "ssh");
    if (!there) return tl::unexpected(there.error());
    if (!*there)
        if (auto made = make_host_keys(host, kept, hostname); !made)
            return tl::unexpected(made.error());
    std::vector<HostKey> keys;
    for (const std::string type : key_types) {
        const std::string name = key_name(type);
        auto secret = host.read_file(kept / "ssh" / name, 1U << 16U);
        if (!secret) return tl::unexpected(secret.error());
        auto open = host.read_file(kept / "ssh" / (name + ".pub"), 1U << 16U);
        if (!open) return tl::unexpected(open.error());
        keys.push_back({name, std::move(*secret), std::move(*open)});
    }
    return keys;
}

}  // namespace bramble::root
