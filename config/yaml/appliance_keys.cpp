#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/yaml/description.hpp"

namespace bramble::yaml {
namespace {

using namespace std::chrono_literals;
using namespace fleet;

const json::object address_schema = {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+){3}$"}};

Type<Ipv4Address> address_type() {
    return parsed<Ipv4Address>(Ipv4Address::parse, address_schema);
}

// Linux: IFNAMSIZ leaves 15 bytes; neither a slash nor a blank.
Type<std::string> interface_type() {
    return line_like(
        "a network interface's name (like eth1; `ip link` lists them)",
        "^[^ /]{1,15}$",
        [](std::string_view text) {
            return text.size() <= 15 && text.find_first_of("/ ") == std::string_view::npos;
        }
    );
}

Type<Ipv4Range> pool_type() {
    struct Keys {
        Ipv4Address from;
        Ipv4Address to;
    };

    auto keys = object<Keys>(
        "a pool",
        {required(key("from", &Keys::from, address_type(), "First address of the pool.")),
         required(key("to", &Keys::to, address_type(), "Last address of the pool."))}
    );
    return converted<Ipv4Range>(
        std::move(keys),
        [](Reading& reading, const Value& value, const Keys& read, Ipv4Range& out) {
            if (read.to < read.from) {
                return reading.error(
                    *value.find("to"),
                    fmt::format(
                        "the pool ends at {} before it begins at {} (swap them)",
                        read.to.to_string(),
                        read.from.to_string()
                    )
                );
            }
            out = {read.from, read.to};
            return true;
        }
    );
}

Type<DhcpSettings> dhcp_type() {
    using S = DhcpSettings;
    const auto domain = line_like(
        "a domain name (like lab.example.org)",
        "^[A-Za-z0-9.-]{1,253}$",
        [](std::string_view text) {
            return text.size() <= 253 && !text.starts_with('.') && !text.starts_with('-') &&
                   text.find_first_not_of(
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
                   ) == std::string_view::npos;
        }
    );
    return object<S>(
        "dhcp",
        {key("mode",
             &S::mode,
             choice<DhcpMode>(
                 "DHCP mode",
                 {{"authoritative", DhcpMode::authoritative},
                  {"proxy", DhcpMode::proxy},
                  {"off", DhcpMode::off}}
             ),
             "authoritative: Bramble leases addresses. proxy: another server leases, Bramble adds "
             "what booting needs. off: no DHCP at all."),
         key("pool", &S::pool, pool_type(), "Addresses for boards without one of their own."),
         key("lease",
             &S::lease,
             duration(1min, 24h * 365),
             "How long a lease holds, from 1m to a year; 1h unless said."),
         key("router", &S::router, address_type(), "Default gateway of the boards."),
         // RFC 2132 §3.8 has room for 63; beyond 3 no resolver asks.
         key("dns", &S::dns, list(address_type(), 8), "Name servers of the boards."),
         key("domain", &S::domain, domain, "Domain name of the boards.")}
    );
}

Type<NfsBackend> nfs_type() {
    enum class Backend { automatic, kernel, ganesha, external };

    struct Keys {
        Backend backend = Backend::automatic;
        std::optional<std::string> server;
        std::optional<std::filesystem::path> path;
    };

    auto keys = object<Keys>(
        "nfs",
        {key("backend",
             &Keys::backend,
             choice<Backend>(
                 "NFS backend",
                 {{"auto", Backend::automatic},
                  {"kernel", Backend::kernel},
                  {"ganesha", Backend::ganesha},
                  {"external", Backend::external}}
             ),
             "auto: the kernel's server where there is one, NFS-Ganesha otherwise. external: "
             "another machine, named by `server` and `path`."),
         key("server", &Keys::server, line(253), "external only: the NFS server's name or address."
         ),
         key("path", &Keys::path, absolute_path(), "external only: its export that holds the roots."
         )}
    );
    return converted<NfsBackend>(
        std::move(keys),
        [](Reading& reading, const Value& value, const Keys& read, NfsBackend& out) {
            const bool complete = read.server && read.path;
            if (read.backend == Backend::external && !complete)
                return reading.error(
                    value, "an external NFS backend needs both `server` and `path`"
                );
            if (read.backend != Backend::external && (read.server || read.path)) {
                const Value* extra = value.find(read.server ? "server" : "path");
                return reading.error(
                    *extra, "only an external NFS backend has this (write backend: external)"
                );
            }
            switch (read.backend) {
                case Backend::automatic:
                    out = NfsAuto{};
                    break;
                case Backend::kernel:
                    out = NfsKernel{};
                    break;
                case Backend::ganesha:
                    out = NfsGanesha{};
                    break;
                case Backend::external:
                    out = NfsExternal{*read.server, *read.path};
                    break;
            }
            return true;
        }
    );
}

struct Listen {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
};

Result<Listen> parse_listen(std::string_view text) {
    const auto refuse = [text] {
        return fail(
            fmt::format("'{}' is not an address with a port (write it like 127.0.0.1:8080)", text)
        );
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return refuse();
    const auto address = Ipv4Address::parse(text.substr(0, colon));
    Listen out;
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, out.port);
    if (!address || error != std::errc{} || stopped != end || out.port == 0) return refuse();
    out.address = address->to_string();
    return out;
}

Type<AdminSettings> admin_type() {
    struct Keys {
        Listen listen;
        std::optional<std::filesystem::path> token_file;
        std::vector<std::string> names;
        std::optional<Listen> wall;
    };

    const auto listen =
        parsed<Listen>(parse_listen, {{"type", "string"}, {"pattern", "^[0-9.]+:[0-9]+$"}});
    auto keys = object<Keys>(
        "admin",
        {key("listen",
             &Keys::listen,
             listen,
             "Where the status page, the API and /metrics are: address and port."),
         key("token_file",
             &Keys::token_file,
             path(),
             "File with the bearer token; needed where `listen` is not a loopback address."),
         key("names",
             &Keys::names,
             list(line(253), 32),
             "Host names under which browsers may ask for the page, beside addresses."),
         key("public",
             &Keys::wall,
             listen,
             "A second listener for a display on the wall: states of boards, read only.")}
    );
    return converted<AdminSettings>(
        std::move(keys),
        [](Reading& reading, const Value& value, const Keys& read, AdminSettings& out) {
            if (!read.listen.address.starts_with("127.") && !read.token_file) {
                return reading.error(
                    *value.find("listen"),
                    fmt::format(
                        "{} can be reached from outside of this machine (add token_file: FILE, or "
                        "listen on 127.0.0.1)",
                        read.listen.address
                    )
                );
            }
            out = {read.listen.address, read.listen.port, read.token_file, read.names, {}};
            if (read.wall) out.wall = AdminSettings::Wall{read.wall->address, read.wall->port};
            return true;
        }
    );
}

Type<unsigned> small_number(std::uint64_t max) {
    return converted<unsigned>(
        whole_number(0, max),
        [](Reading& /*reading*/, const Value& /*value*/, std::uint64_t read, unsigned& out) {
            out = static_cast<unsigned>(read);
            return true;
        }
    );
}

Type<TftpSettings> tftp_type() {
    using S = TftpSettings;
    return object<S>(
        "tftp",
        {key("workers", &S::workers, small_number(64), "Worker threads; 0: one per core."),
         key("retransmit_floor",
             &S::retransmit_floor,
             // Fact sheet 2.2: start4.elf hangs on a DATA that it had, so never near a round trip.
             duration(50ms, 10s),
             "Shortest wait before a block is sent again, from 50ms to 10s; 1s unless said. The "
             "wait is learnt from each transfer's own round trips, and begins at 1s.")}
    );
}

Type<AdmissionSettings> admission_type() {
    using S = AdmissionSettings;
    auto mapping = object<S>(
        "admission",
        {key("enabled", &S::enabled, boolean(), "off lets all boards boot at once."),
         key("link",
             &S::link_bits_per_second,
             parsed<std::uint64_t>(
                 parse_rate, {{"type", "string"}, {"pattern", "^[0-9]+(kbit|Mbit|Gbit)$"}}
             ),
             "Speed of the slowest link that all boards share; what the interface says unless said."
         ),
         key("group_max",
             &S::group_max,
             small_number(10'000),
             "Boards of one group that boot at a time, as a PoE switch can start; 0: no limit."),
         key("file_timeout",
             &S::file_timeout,
             // Below 5 s the EEPROM does not go (fact sheet 1.7).
             duration(5s, 10min),
             "After which a board gives up a file, from 5s to 10m: TFTP_FILE_TIMEOUT of its "
             "EEPROM; 30s unless said."),
         key("silence",
             &S::silence,
             duration(5s, 10min),
             "After which a board that was let in and fetches nothing loses its place; 15s unless "
             "said.")}
    );
    auto scalar = converted<S>(
        boolean(),
        [](Reading& /*reading*/, const Value& /*value*/, bool read, S& out) {
            out.enabled = read;
            return true;
        }
    );
    return scalar_or_map<S>(std::move(scalar), std::move(mapping));
}

Type<UnknownBoards> unknown_boards_type() {
    struct Keys {
        std::string enroll;
    };

    auto mapping = converted<UnknownBoards>(
        object<Keys>(
            "unknown_boards",
            {required(key(
                "enroll", &Keys::enroll, name("a profile's name"), "Profile that they boot with."
            ))}
        ),
        [](Reading& /*reading*/, const Value& /*value*/, const Keys& read, UnknownBoards& out) {
            out = EnrollUnknown{read.enroll};
            return true;
        }
    );
    auto scalar = choice<UnknownBoards>(
        "way to treat unknown boards", {{"hold", HoldUnknown{}}, {"ignore", IgnoreUnknown{}}}
    );
    return scalar_or_map<UnknownBoards>(std::move(scalar), std::move(mapping));
}

}  // namespace

Type<Appliance> appliance_type() {
    using S = Appliance;
    return object<S>(
        "appliance",
        {required(key("interface", &S::interface, interface_type(), "The boards' side.")),
         required(
             key("address",
                 &S::address,
                 parsed<Ipv4Network>(
                     Ipv4Network::parse,
                     {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+){3}/[0-9]+$"}}
                 ),
                 "Bramble's own address on that interface, with its network: 172.16.1.1/24.")
         ),
         key("dhcp", &S::dhcp, dhcp_type(), "Who leases addresses, and which."),
         key("nfs", &S::nfs, nfs_type(), "Who serves the roots."),
         key("admin", &S::admin, admin_type(), "Status page, API and metrics."),
         key("tftp", &S::tftp, tftp_type(), "The file server of the boot stages."),
         key("admission", &S::admission, admission_type(), "How many boards may boot together."),
         key("store", &S::store, path(), "Where generations, roots and leases lie."),
         key("unknown_boards",
             &S::unknown_boards,
             unknown_boards_type(),
             "hold: record, do not boot. ignore: stay silent. {enroll: PROFILE}: boot with it.")}
    );
}

}  // namespace bramble::yaml
