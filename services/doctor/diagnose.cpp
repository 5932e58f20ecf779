#include "services/doctor/diagnose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/types/text.hpp"

namespace bramble::doctor {
namespace {

using std::string;

constexpr unsigned mtu_of_boards = 1500;  // their clients know no other (fact sheet 8, rule 23)
constexpr unsigned slow_link_mbits = 1000;
constexpr std::uint64_t bytes_free_min = 2'000'000'000;  // one more generation of a small image
constexpr unsigned free_share_min = 5;                   // per cent
constexpr int year_min = 2023;                           // a clock that was never set

// A port that Bramble answers boards on, and what for.
struct Port {
    Transport transport;
    std::uint16_t port;
    const char* purpose;
    bool needed_for_nfs3 = false;
    bool nfs = false;
};

constexpr std::array<Port, 5> ports{{
    {Transport::udp, 67, "DHCP"},
    {Transport::udp, 69, "TFTP"},
    {Transport::tcp, 8081, "the boards' reports"},
    {Transport::tcp, 111, "the portmapper of NFSv3", true},
    {Transport::tcp, 2049, "NFS", false, true},
}};

string name_of(const Port& port) {
    return fmt::format("{}/{}", port.port, port.transport == Transport::udp ? "udp" : "tcp");
}

class Doctor {
public:
    explicit Doctor(const Observation& seen) : seen_(seen) {}

    std::vector<Finding> examine() {
        interface();
        wire();
        for (const Port& port : ports) holders(port);
        for (const Port& port : ports) firewall(port);
        nas();
        nfs();
        store();
        for (const CopyOnWriteLook& look : seen_.copy_on_write) copy_on_write(look);
        clock();
        return std::move(findings_);
    }

private:
    void say(Severity severity, string subject, string text, string remedy = {}) {
        findings_.push_back({severity, std::move(subject), std::move(text), std::move(remedy)});
    }

    void interface() {
        const InterfaceLook& look = seen_.interface;
        const string subject = "interface " + look.name;
        if (!look.exists) {
            return say(
                Severity::bad,
                subject,
                fmt::format(
                    "this machine has no such interface (it has: {})", fmt::join(look.others, ", ")
                ),
                "set appliance.interface in " + seen_.fleet_file
            );
        }
        if (!look.up) {
            return say(
                Severity::bad, subject, "is down", fmt::format("ip link set {} up", look.name)
            );
        }
        if (!look.carrier) {
            return say(
                Severity::bad,
                subject,
                "has no carrier",
                "plug the cable in; look at the switch's port and at the far end's light"
            );
        }
        bool well = true;
        if (!look.has_address) {
            say(Severity::bad,
                subject,
                "does not have the address that the fleet file gives the appliance",
                "give it that address, or correct appliance.address");
            well = false;
        }
        if (look.mtu != mtu_of_boards) {
            say(Severity::warning,
                subject,
                fmt::format("has an MTU of {}; boards' firmware knows 1500 only", look.mtu),
                fmt::format("ip link set {} mtu {}", look.name, mtu_of_boards));
            well = false;
        }
        if (look.speed_mbits && *look.speed_mbits < slow_link_mbits) {
            say(Severity::warning,
                subject,
                fmt::format(
                    "runs at {} Mb/s: a room of boards boots at its speed", *look.speed_mbits
                ),
                "use a gigabit port and a cable with all eight wires");
            well = false;
        }
        if (!well) return;
        const string speed =
            look.speed_mbits ? fmt::format("{} Mb/s, ", *look.speed_mbits) : string();
        say(Severity::good, subject, fmt::format("up, carrier, {}MTU {}", speed, look.mtu));
    }

    void wire() {
        if (!seen_.wire) {
            say(Severity::unknown,
                "wire",
                "was not listened to: " + seen_.wire_error,
                "sudo bramble doctor");
            return;
        }
        offers(*seen_.wire);
        spanning_tree(*seen_.wire);
    }

    void offers(const WireLook& wire) {
        for (const ForeignOffer& offer : wire.offers) {
            const string who = fmt::format(
                "{} ({}) offered {}",
                offer.server.to_string(),
                offer.mac.to_string(),
                offer.offered.to_string()
            );
            if (seen_.proxy) {
                say(Severity::good, "DHCP servers", who + ": it leases, Bramble adds the boot data"
                );
            } else {
                say(Severity::bad,
                    "DHCP servers",
                    who + ": a board that takes its offer never finds its files",
                    "stop that server on the boards' network, or set dhcp: {mode: proxy}");
            }
        }
        if (!wire.offers.empty()) return;
        const string after =
            fmt::format("no other server answered within {}", describe(wire.listened));
        if (seen_.proxy) {
            say(Severity::bad,
                "DHCP servers",
                after + ", and in proxy mode boards need one for their address",
                "start it, or set dhcp: {mode: authoritative}");
        } else {
            say(Severity::good, "DHCP servers", after);
        }
    }

    void spanning_tree(const WireLook& wire) {
        const string subject = "spanning tree";
        if (!wire.bridge) {
            say(Severity::good,
                subject,
                fmt::format("no bridge was heard within {} on this port", describe(wire.listened)));
            return;
        }
        const BridgeFrame& frame = wire.bridge->frame;
        const bool rapid = frame.kind == SpanningTree::rapid;
        say(Severity::warning,
            subject,
            fmt::format(
                "bridge {} speaks {} on its port {}: a board's port that is no edge port is deaf "
                "for {} s after each link-up",
                frame.bridge.to_string(),
                rapid ? "rapid spanning tree" : "classic spanning tree",
                frame.port,
                2 * frame.forward_delay_s
            ),
            "make the boards' ports edge ports (portfast, RSTP edge), or turn spanning tree off "
            "for them");
    }

    bool looks_at(const Port& port) const {
        if (port.port == 67 && !seen_.serves_dhcp) return false;
        const bool local_nfs =
            seen_.nfs.kind == NfsKind::kernel || seen_.nfs.kind == NfsKind::ganesha;
        if (port.needed_for_nfs3) return local_nfs && seen_.nfs.needs_rpcbind;
        return !port.nfs || local_nfs;
    }

    static bool is_ours(const Port& port, const string& program) {
        if (port.nfs) return program.starts_with("ganesha.nfsd[");
        if (port.needed_for_nfs3)
            return program.starts_with("rpcbind[") || program.starts_with("systemd[");
        return program.starts_with("bramble[");
    }

    void holders(const Port& port) {
        if (!looks_at(port)) return;
        const string subject = "port " + name_of(port);
        std::vector<string> strangers;
        bool ours = false;
        for (const BoundSocket& socket : seen_.sockets) {
            if (socket.transport != port.transport || socket.port != port.port) continue;
            const bool kernel = socket.program.empty();
            // The kernel's own NFS server has no process, and without root no program has a name.
            if (is_ours(port, socket.program) || (kernel && (port.nfs || seen_.serve_runs))) {
                ours = true;
            } else {
                strangers.push_back(kernel ? "a program that only root can name" : socket.program);
            }
        }
        if (!strangers.empty()) {
            say(Severity::bad,
                subject,
                fmt::format(
                    "{} holds it, which Bramble needs for {}",
                    fmt::join(strangers, ", "),
                    port.purpose
                ),
                "stop that program, or keep it away from the boards' address");
        } else if (!ours && port.nfs) {
            say(Severity::bad,
                subject,
                "no NFS server listens: boards would stop after their kernel",
                "systemctl start bramble-nfs, or run `bramble up`");
        } else if (!ours && port.needed_for_nfs3) {
            say(Severity::bad,
                subject,
                "no portmapper listens: boards cannot mount NFSv3",
                "systemctl start rpcbind, or set root: {nfs_version: \"4.2\"} where boards can "
                "mount it");
        } else {
            say(Severity::good, subject, ours ? "ours" : fmt::format("free for {}", port.purpose));
        }
    }

    void firewall(const Port& port) {
        if (!looks_at(port)) return;
        if (!seen_.firewall) {
            if (&port == &ports.front() || findings_.back().subject != "firewall") {
                say(Severity::unknown, "firewall", "was not looked at: " + seen_.firewall_error);
            }
            return;
        }
        const string subject = "firewall " + name_of(port);
        const string remedy = fmt::format(
            "let it in: nft insert rule inet FILTER INPUT iifname \"{}\" {} dport {} accept",
            seen_.interface.name,
            port.transport == Transport::udp ? "udp" : "tcp",
            port.port
        );
        switch (passage(*seen_.firewall, seen_.interface.name, port.transport, port.port)) {
            case Passage::open:
                return say(Severity::good, subject, "open");
            case Passage::unsure:
                return say(
                    Severity::warning,
                    subject,
                    fmt::format("a rule that not every packet meets decides over {}", port.purpose),
                    remedy
                );
            case Passage::blocked:
                break;
        }
        say(Severity::bad, subject, fmt::format("{} is dropped", port.purpose), remedy);
    }

    void nas() {
        if (!seen_.nas) return;
        const NasLook& look = *seen_.nas;
        const string subject = "NAS " + look.place;
        if (!look.looked_at) {
            return say(
                Severity::unknown,
                subject,
                "was not asked: what root may there, only root can see",
                "sudo bramble doctor"
            );
        }
        if (!look.problem.empty()) return say(Severity::bad, subject, look.problem);
        say(Severity::good, subject, "can be written to, and root is root there");
    }

    void nfs() {
        const NfsLook& look = seen_.nfs;
        if (seen_.nas && !seen_.nas->problem.empty()) return;  // it says why
        if (look.kind == NfsKind::none_needed) {
            return say(Severity::good, "NFS", "no board has a root to mount");
        }
        if (!look.missing.empty()) return say(Severity::bad, "NFS", look.missing);
        if (look.export_error) {
            return say(
                Severity::bad,
                "NFS",
                *look.export_error,
                "sudo bramble apply, then read the NFS server's log"
            );
        }
        if (look.exports == 0) {
            return say(
                Severity::unknown,
                "NFS",
                "no export to ask for: nothing is published",
                "sudo bramble apply"
            );
        }
        const char* const server = look.kind == NfsKind::kernel    ? "the kernel's server"
                                   : look.kind == NfsKind::ganesha ? "NFS-Ganesha"
                                                                   : "the external server";
        say(Severity::good, "NFS", fmt::format("{}: {} exports answered", server, look.exports));
    }

    void store() {
        const StoreLook& look = seen_.store;
        const string subject = "store " + look.path;
        if (!look.exists) {
            return say(Severity::warning, subject, "is not there yet", "sudo bramble apply");
        }
        const auto short_of = [](std::uint64_t free, std::uint64_t total) {
            return total != 0 && free < total / 100 * free_share_min;
        };
        if (look.bytes_free < bytes_free_min || short_of(look.bytes_free, look.bytes_total)) {
            return say(
                Severity::warning,
                subject,
                fmt::format(
                    "{} are free of {}",
                    describe_bytes(look.bytes_free),
                    describe_bytes(look.bytes_total)
                ),
                "sudo bramble gc, or a larger filesystem"
            );
        }
        if (short_of(look.files_free, look.files_total)) {
            return say(
                Severity::warning,
                subject,
                fmt::format("{} files can still be made of {}", look.files_free, look.files_total),
                "sudo bramble gc, or a filesystem with more inodes"
            );
        }
        say(Severity::good,
            subject,
            fmt::format(
                "{}, {} free",
                look.filesystem.empty() ? "filesystem" : look.filesystem,
                describe_bytes(look.bytes_free)
            ));
    }

    void copy_on_write(const CopyOnWriteLook& look) {
        const string subject = "copy-on-write " + look.kind;
        if (look.available) return say(Severity::good, subject, "available");
        if (!look.asked) return;
        say(Severity::bad,
            subject,
            "the fleet file asks for it, and the store cannot do it",
            "put the store on a filesystem that can, or leave copy_on_write out");
    }

    void clock() {
        const ClockLook& look = seen_.clock;
        if (look.year < year_min) {
            return say(
                Severity::bad,
                "clock",
                fmt::format("says it is {}", look.year),
                "timedatectl set-ntp true, or set it by hand: certificates and leases depend on it"
            );
        }
        if (!look.synchronised)
            return say(Severity::unknown, "clock", "nobody here says whether it is synchronised");
        if (!*look.synchronised) {
            return say(
                Severity::warning,
                "clock",
                "is not synchronised: boards have no clock of their own and follow this machine's",
                "timedatectl set-ntp true"
            );
        }
        say(Severity::good, "clock", "synchronised");
    }

    const Observation& seen_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> diagnose(const Observation& observation) {
    return Doctor(observation).examine();
}

}  // namespace bramble::doctor
