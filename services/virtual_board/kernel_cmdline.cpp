#include "services/virtual_board/kernel_cmdline.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace bramble::virtual_board {

namespace {

// Takes the part before `separator` off the front of `rest`.
std::string_view take_part(std::string_view& rest, char separator) {
    const auto at = rest.find(separator);
    const std::string_view part = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
    return part;
}

std::uint32_t size_option(std::string_view value, std::uint32_t otherwise) {
    std::uint32_t parsed = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    return error == std::errc{} && end == value.data() + value.size() ? parsed : otherwise;
}

std::optional<Ipv4Address> maybe_address(std::string_view text) {
    const auto parsed = Ipv4Address::parse(text);
    return parsed ? std::optional(*parsed) : std::nullopt;
}

// nfsroot=[server:]dir[,options]
Result<NfsRoot> parse_nfsroot(std::string_view value) {
    NfsRoot root;
    std::string_view rest = value;
    std::string_view where = take_part(rest, ',');
    root.options = rest;
    if (root.options.size() > nfsroot_options_bytes_max) {
        return fail("the options of nfsroot= are longer than the kernel's 255 bytes");
    }
    const auto colon = where.find(':');
    if (colon != std::string_view::npos) {
        root.server = where.substr(0, colon);
        where = where.substr(colon + 1);
    }
    root.path = where;
    while (!rest.empty()) {
        std::string_view option = take_part(rest, ',');
        const std::string_view name = take_part(option, '=');
        if (name == "vers" || name == "nfsvers") root.version = option;
        if (name == "v3") root.version = "3";
        if (name == "v4") root.version = "4";
        if (name == "rsize") root.rsize = size_option(option, root.rsize);
        if (name == "wsize") root.wsize = size_option(option, root.wsize);
    }
    return root;
}

Result<std::variant<IpByDhcp, IpStatic>> parse_ip(std::string_view value) {
    if (value.empty() || value == "dhcp" || value == "on" || value == "any" || value == "both") {
        return IpByDhcp{};
    }
    std::array<std::string_view, 7> parts{};  // client server gateway mask host device autoconf
    for (auto& part : parts) part = take_part(value, ':');
    const auto client = maybe_address(parts[0]);
    if (client) {
        return IpStatic{
            *client, maybe_address(parts[1]), maybe_address(parts[2]), maybe_address(parts[3])};
    }
    if (parts[6] == "off" || parts[6] == "none" || parts[0] == "off" || parts[0] == "none") {
        return fail("ip= leaves the board without an address");
    }
    return IpByDhcp{};
}

}  // namespace

Result<KernelBoot> parse_cmdline(std::string_view text) {
    std::string_view line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() >= cmdline_bytes_max) {
        return fail(fmt::format("cmdline.txt has {} bytes, the kernel takes 2047", line.size()));
    }
    KernelBoot boot{.cmdline = std::string(line), .ip = IpByDhcp{}, .root = {}};
    std::string_view root_device;
    std::string_view nfsroot;
    std::string_view ip;
    std::string_view rest = line;
    while (!rest.empty()) {
        std::string_view word = take_part(rest, ' ');
        if (word.starts_with("root=")) root_device = word.substr(5);
        if (word.starts_with("nfsroot=")) nfsroot = word.substr(8);
        if (word.starts_with("ip=")) ip = word.substr(3);
    }
    if (root_device != "/dev/nfs") {
        return fail(fmt::format("cmdline.txt has no root=/dev/nfs (root is '{}')", root_device));
    }
    auto root = parse_nfsroot(nfsroot);
    if (!root) return tl::unexpected(root.error());
    boot.root = std::move(*root);
    auto address = parse_ip(ip);
    if (!address) return tl::unexpected(address.error());
    boot.ip = *address;
    return boot;
}

Result<void> check_mount_options(const NfsRoot& root, bool initramfs, InitramfsMount mount) {
    if (!initramfs || mount == InitramfsMount::busybox) return {};
    if (root.version != "2" && root.version != "3") {
        return fail(
            fmt::format("klibc's nfsmount knows versions 2 and 3, not {}: use vers=3", root.version)
        );
    }
    if (root.options.find("proto=") != std::string::npos) {
        return fail("klibc's nfsmount rejects proto=: use tcp");
    }
    return {};
}

}  // namespace bramble::virtual_board
