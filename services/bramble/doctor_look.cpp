#include "services/bramble/doctor_look.hpp"

#include <fmt/core.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <random>

#include "provisioning/host/real_host.hpp"
#include "provisioning/nfs/client.hpp"
#include "provisioning/nfs/exports.hpp"
#include "provisioning/nfs/nas.hpp"
#include "services/bramble/generations.hpp"
#include "services/dhcp/message.hpp"
#include "services/io/frames.hpp"
#include "services/io/http_client.hpp"
#include "services/io/network_interface.hpp"
#include "services/io/wire_probe.hpp"

namespace bramble::program {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t exports_looked_at_max = 32;
constexpr std::chrono::milliseconds export_patience = 2s;
constexpr std::size_t processes_max = 100'000;
constexpr Duration admin_patience = 1s;

std::string first_line(host::Host& host, const fs::path& path) {
    const auto text = host.read_file(path);
    return text ? text->substr(0, text->find('\n')) : std::string();
}

unsigned number_in(host::Host& host, const fs::path& path) {
    const std::string text = first_line(host, path);
    unsigned value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

doctor::InterfaceLook look_at_interface(host::Host& host, const fleet::Appliance& appliance) {
    doctor::InterfaceLook look;
    look.name = appliance.interface;
    const fs::path about = fs::path("/sys/class/net") / appliance.interface;
    const auto found = io::find_network_interface(appliance.interface);
    if (!found) {
        if (const auto others = host.list("/sys/class/net")) {
            for (const host::DirectoryEntry& entry : *others) look.others.push_back(entry.name);
        }
        return look;
    }
    look.exists = true;
    look.up = found->is_up;
    look.carrier = number_in(host, about / "carrier") == 1;
    look.mtu = number_in(host, about / "mtu");
    if (const unsigned speed = number_in(host, about / "speed"); speed > 0 && speed < 1'000'000) {
        look.speed_mbits = speed;
    }
    look.has_address =
        std::find(found->addresses.begin(), found->addresses.end(), appliance.address.address()) !=
        found->addresses.end();
    return look;
}

// A DISCOVER of nobody's board: a locally administered address made up for it, so that no server's
// reservation is touched, and a class that tells whoever looks into their log.
dhcp::Message make_discover() {
    std::random_device chance;
    dhcp::Message discover;
    discover.xid = dhcp::TransactionId(chance());
    discover.broadcast = true;
    const std::uint32_t tail = chance();
    discover.chaddr = MacAddress(
        {0x02,
         0xb7,
         static_cast<std::uint8_t>(tail >> 24U),
         static_cast<std::uint8_t>(tail >> 16U),
         static_cast<std::uint8_t>(tail >> 8U),
         static_cast<std::uint8_t>(tail)}
    );
    discover.type = dhcp::MessageType::discover;
    discover.options.set_text(dhcp::OptionCode::vendor_class, "bramble-doctor");
    return discover;
}

void hear(
    doctor::WireLook& look,
    const dhcp::Message& asked,
    Ipv4Address own,
    std::span<const std::byte> frame
) {
    if (const auto bridge = doctor::parse_bridge_frame(frame)) {
        if (!look.bridge) look.bridge = doctor::BridgeSighting{*bridge, 0};
        ++look.bridge->frames;
        return;
    }
    const auto heard = io::udp_to_port(frame, dhcp::client_port);
    if (!heard) return;
    const auto offer = dhcp::parse(heard->payload);
    if (!offer || offer->xid != asked.xid || offer->type != dhcp::MessageType::offer) return;
    const Ipv4Address server =
        offer->options.address(dhcp::OptionCode::server_identifier).value_or(heard->source);
    const bool known = std::any_of(look.offers.begin(), look.offers.end(), [&](const auto& o) {
        return o.server == server;
    });
    if (server != own && !known) look.offers.push_back({server, heard->mac, offer->yiaddr});
}

Result<doctor::WireLook> look_at_wire(const fleet::Appliance& appliance, Duration listen) {
    const auto interface = io::find_network_interface(appliance.interface);
    if (!interface) return fail("there is no such interface");
    if (!interface->is_up) return fail("the interface is down");
    const dhcp::Message discover = make_discover();
    const auto payload = dhcp::emit(discover, dhcp::bootp_bytes_min);
    std::array<std::byte, 600> frame{};
    const MacAddress everybody({0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    const std::size_t size = io::write_udp_frame(
        frame,
        {interface->mac, Ipv4Address(), dhcp::client_port},
        {everybody, Ipv4Address(0xffffffff), dhcp::server_port},
        payload
    );
    doctor::WireLook look;
    look.listened = listen;
    const auto probed = io::probe_wire(
        *interface,
        {std::span(frame).first(size),
         listen,
         [&](std::span<const std::byte> heard) {
             hear(look, discover, appliance.address.address(), heard);
         }}
    );
    if (!probed) return tl::unexpected(probed.error());
    return look;
}

// Names the sockets' programs by what their descriptors point to (proc(5), /proc/PID/fd).
void name_programs(host::Host& host, std::vector<doctor::BoundSocket>& sockets) {
    const auto processes = host.list("/proc");
    if (!processes) return;
    std::size_t looked_at = 0;
    for (const host::DirectoryEntry& process : *processes) {
        if (process.name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (++looked_at > processes_max) return;
        const fs::path descriptors = fs::path("/proc") / process.name / "fd";
        const auto entries = host.list(descriptors);
        if (!entries) continue;  // another's, or over by now
        for (const host::DirectoryEntry& entry : *entries) {
            const auto target = host.read_link(descriptors / entry.name);
            if (!target || !target->string().starts_with("socket:[")) continue;
            const std::string inode = target->string().substr(8, target->string().size() - 9);
            for (doctor::BoundSocket& socket : sockets) {
                if (std::to_string(socket.inode) != inode) continue;
                socket.program = fmt::format(
                    "{}[{}]",
                    first_line(host, fs::path("/proc") / process.name / "comm"),
                    process.name
                );
            }
        }
    }
}

std::vector<doctor::BoundSocket> look_at_sockets(host::Host& host) {
    std::vector<doctor::BoundSocket> out;
    const auto add = [&](const char* table, doctor::Transport transport) {
        const auto text = host.read_file(table);
        if (!text) return;
        for (doctor::BoundSocket& socket : doctor::parse_socket_table(*text, transport)) {
            out.push_back(std::move(socket));
        }
    };
    add("/proc/net/udp", doctor::Transport::udp);
    add("/proc/net/tcp", doctor::Transport::tcp);
    name_programs(host, out);
    return out;
}

Result<doctor::Ruleset> look_at_firewall(host::Host& host) {
    if (!host.has_program("nft")) return fail("nft is not installed (package nftables)");
    host::Command command;
    command.argv = {"nft", "-j", "list", "ruleset"};
    command.limit = 5s;
    const auto outcome = host::run_or_fail(host, command);
    if (!outcome) return tl::unexpected(outcome.error());
    return doctor::parse_ruleset(outcome->output);
}

doctor::ClockLook look_at_clock(host::Host& host) {
    doctor::ClockLook look;
    const std::time_t now = std::chrono::system_clock::to_time_t(host.now());
    std::tm parts{};
    look.year = ::gmtime_r(&now, &parts) == nullptr ? 0 : parts.tm_year + 1900;
    timex clock{};
    if (::adjtimex(&clock) >= 0) look.synchronised = (clock.status & STA_UNSYNC) == 0;
    return look;
}

doctor::StoreLook look_at_store(host::Host& host, const fs::path& store) {
    doctor::StoreLook look;
    look.path = store.string();

    struct statvfs about {};

    if (::statvfs(store.c_str(), &about) != 0) return look;
    look.exists = true;
    look.filesystem = host.filesystem_of(store);
    look.bytes_free = about.f_bavail * about.f_frsize;
    look.bytes_total = about.f_blocks * about.f_frsize;
    look.files_free = about.f_favail;
    look.files_total = about.f_files;
    return look;
}

std::vector<doctor::CopyOnWriteLook> look_at_copy_on_write(
    host::Host& host, const fleet::Fleet& fleet, const std::string& filesystem
) {
    const auto asked = [&fleet](fleet::CopyOnWrite kind) {
        return std::any_of(
            fleet.profiles.begin(),
            fleet.profiles.end(),
            [kind](const auto& profile) { return profile.root.copy_on_write == kind; }
        );
    };
    const auto filesystems = host.read_file("/proc/filesystems");
    const bool overlay = filesystems && filesystems->find("\toverlay\n") != std::string::npos;
    const bool btrfs = filesystem == "btrfs";
    return {
        {"btrfs snapshot", asked(fleet::CopyOnWrite::btrfs), btrfs},
        {"reflink", asked(fleet::CopyOnWrite::reflink), btrfs || filesystem == "xfs"},
        {"overlay", asked(fleet::CopyOnWrite::overlay), overlay},
    };
}

doctor::NfsKind kind_of(nfs::Server server) {
    switch (server) {
        case nfs::Server::kernel:
            return doctor::NfsKind::kernel;
        case nfs::Server::ganesha:
            return doctor::NfsKind::ganesha;
        case nfs::Server::external:
            break;
    }
    return doctor::NfsKind::external;
}

// As boards would mount them, from this machine, which every export lets in too.
void try_exports(const io::GenerationPtr& generation, doctor::NfsLook& look) {
    for (const layout::BoardEntry& board : generation->manifest().boards) {
        if (!board.root || look.exports >= exports_looked_at_max || look.export_error) continue;
        nfs::MountOptions options;
        options.version = board.root->nfs_version.starts_with("4") ? 4 : 3;
        options.timeout = export_patience;
        const auto mounted =
            nfs::Client::mount(board.root->server, board.root->path.string(), options);
        if (mounted) {
            ++look.exports;
        } else {
            look.export_error = fmt::format("{}: {}", board.name, mounted.error().message);
        }
    }
}

bool wants_root(const fleet::Profile& profile) {
    return profile.root.mode != fleet::RootMode::none;
}

bool any_wants_root(const fleet::Fleet& fleet) {
    return std::any_of(fleet.profiles.begin(), fleet.profiles.end(), wants_root);
}

constexpr std::chrono::seconds nas_put_off_max{5};

// Opening it is the trial: a file is made there, given away and removed.
std::optional<doctor::NasLook> look_at_nas(const fleet::Fleet& fleet) {
    const auto* nas = std::get_if<fleet::NfsExternal>(&fleet.appliance.nfs);
    if (nas == nullptr || !any_wants_root(fleet)) return std::nullopt;
    doctor::NasLook look;
    look.place = nas->server + ":" + nas->path.string();
    look.looked_at = ::geteuid() == 0;
    if (!look.looked_at) return look;
    nfs::NasPatience patience;
    patience.put_off_max = nas_put_off_max;
    const auto opened = nfs::Nas::open(nas->server, nas->path, patience);
    if (!opened) look.problem = opened.error().message;
    return look;
}

doctor::NfsLook look_at_nfs(
    host::Host& host, const fleet::Fleet& fleet, bool exports_can_be_tried
) {
    doctor::NfsLook look;
    if (!any_wants_root(fleet)) return look;
    look.needs_rpcbind = std::any_of(
        fleet.profiles.begin(),
        fleet.profiles.end(),
        [&](const fleet::Profile& profile) {
            return wants_root(profile) && profile.root.nfs_version == "3";
        }
    );
    const auto server = nfs::choose_server(host, fleet.appliance.nfs);
    look.kind = server ? kind_of(*server) : doctor::NfsKind::ganesha;
    if (!server) {
        look.missing = server.error().message;
        return look;
    }
    if (!exports_can_be_tried) return look;
    const auto generation = load_current_generation(layout::StorePaths(fleet.appliance.store));
    if (!generation) {
        look.export_error = generation.error().message;
    } else if (*generation) {
        try_exports(*generation, look);
    }
    return look;
}

bool serve_answers(const fleet::AdminSettings& admin) {
    io::HttpCall call;
    call.address = admin.address == "0.0.0.0" ? "127.0.0.1" : admin.address;
    call.port = admin.port;
    call.target = "/api/v1/status";
    call.timeout = admin_patience;
    return io::call_http(call).has_value();
}

}  // namespace

doctor::Observation look(
    const fleet::Fleet& fleet, const std::string& fleet_file, Duration listen
) {
    host::RealHost host;
    doctor::Observation seen;
    seen.fleet_file = fleet_file;
    seen.serves_dhcp = fleet.appliance.dhcp.mode != fleet::DhcpMode::off;
    seen.proxy = fleet.appliance.dhcp.mode == fleet::DhcpMode::proxy;
    seen.interface = look_at_interface(host, fleet.appliance);
    if (auto wire = look_at_wire(fleet.appliance, listen)) {
        seen.wire = std::move(*wire);
    } else {
        seen.wire_error = wire.error().message;
    }
    seen.serve_runs = serve_answers(fleet.appliance.admin);
    seen.sockets = look_at_sockets(host);
    if (auto firewall = look_at_firewall(host)) {
        seen.firewall = std::move(*firewall);
    } else {
        seen.firewall_error = firewall.error().message;
    }
    seen.nas = look_at_nas(fleet);
    seen.nfs = look_at_nfs(host, fleet, !seen.nas || seen.nas->problem.empty());
    seen.store = look_at_store(host, fleet.appliance.store);
    seen.copy_on_write = look_at_copy_on_write(host, fleet, seen.store.filesystem);
    seen.clock = look_at_clock(host);
    return seen;
}

}  // namespace bramble::program
