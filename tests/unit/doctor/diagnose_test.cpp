#include "services/doctor/diagnose.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace bramble::doctor {
namespace {

using namespace std::chrono_literals;

// A machine on which everything is as it should be.
Observation sound() {
    Observation seen;
    seen.fleet_file = "fleet.yaml";
    seen.interface = {"eth1", true, true, true, 1500, 1000, true, {}};
    seen.wire = WireLook{5s, {}, std::nullopt};
    seen.serve_runs = true;
    seen.sockets = {
        {Transport::udp, Ipv4Address(), 67, 1, "bramble[10]"},
        {Transport::udp, Ipv4Address(), 69, 2, "bramble[10]"},
        {Transport::tcp, Ipv4Address(), 8081, 3, "bramble[10]"},
        {Transport::tcp, Ipv4Address(), 111, 4, "rpcbind[9]"},
        {Transport::tcp, Ipv4Address(), 2049, 5, "ganesha.nfsd[11]"}};
    seen.firewall = Ruleset{};
    seen.clock = {true, 2026};
    seen.store = {"/var/lib/bramble", true, "ext4", 50'000'000'000, 100'000'000'000, 1000, 1000};
    seen.nfs = {NfsKind::ganesha, "", true, std::nullopt, 2};
    return seen;
}

// The one finding that is not good; fails when there are others.
Finding only_trouble(const Observation& seen) {
    std::vector<Finding> trouble = diagnose(seen);
    std::erase_if(trouble, [](const Finding& f) { return f.severity == Severity::good; });
    EXPECT_EQ(trouble.size(), 1U) << render(trouble);
    return trouble.empty() ? Finding{} : trouble.front();
}

TEST(Doctor, ASoundMachineHasNothingButGoodFindings) {
    EXPECT_EQ(
        render(diagnose(sound())),
        "ok    interface eth1: up, carrier, 1000 Mb/s, MTU 1500\n"
        "ok    DHCP servers: no other server answered within 5.0 s\n"
        "ok    spanning tree: no bridge was heard within 5.0 s on this port\n"
        "ok    port 67/udp: ours\n"
        "ok    port 69/udp: ours\n"
        "ok    port 8081/tcp: ours\n"
        "ok    port 111/tcp: ours\n"
        "ok    port 2049/tcp: ours\n"
        "ok    firewall 67/udp: open\n"
        "ok    firewall 69/udp: open\n"
        "ok    firewall 8081/tcp: open\n"
        "ok    firewall 111/tcp: open\n"
        "ok    firewall 2049/tcp: open\n"
        "ok    NFS: NFS-Ganesha: 2 exports answered\n"
        "ok    store /var/lib/bramble: ext4, 50.0 GB free\n"
        "ok    clock: synchronised\n"
    );
    EXPECT_FALSE(any_bad(diagnose(sound())));
}

TEST(Doctor, AnInterfaceThatIsNotThere) {
    Observation seen = sound();
    seen.interface = {"eth7", false, false, false, 0, std::nullopt, false, {"eth0", "lo"}};
    const Finding expected{
        Severity::bad,
        "interface eth7",
        "this machine has no such interface (it has: eth0, lo)",
        "set appliance.interface in fleet.yaml"};
    EXPECT_EQ(only_trouble(seen), expected);
}

TEST(Doctor, AnInterfaceWithoutCarrierOrWithAnotherMtu) {
    Observation seen = sound();
    seen.interface.carrier = false;
    EXPECT_EQ(only_trouble(seen).text, "has no carrier");
    seen.interface.up = false;
    EXPECT_EQ(only_trouble(seen).remedy, "ip link set eth1 up");
    seen = sound();
    seen.interface.mtu = 9000;
    EXPECT_EQ(only_trouble(seen).text, "has an MTU of 9000; boards' firmware knows 1500 only");
    seen = sound();
    seen.interface.speed_mbits = 100;
    EXPECT_EQ(only_trouble(seen).text, "runs at 100 Mb/s: a room of boards boots at its speed");
}

TEST(Doctor, AnotherDhcpServer) {
    Observation seen = sound();
    seen.wire->offers = {
        {*Ipv4Address::parse("172.16.1.9"),
         *MacAddress::parse("02:00:00:00:00:09"),
         *Ipv4Address::parse("172.16.1.50")}};
    const Finding expected{
        Severity::bad,
        "DHCP servers",
        "172.16.1.9 (02:00:00:00:00:09) offered 172.16.1.50: a board that takes its offer never "
        "finds its files",
        "stop that server on the boards' network, or set dhcp: {mode: proxy}"};
    EXPECT_EQ(only_trouble(seen), expected);
    seen.proxy = true;
    EXPECT_FALSE(any_bad(diagnose(seen)));
    seen.wire->offers.clear();
    EXPECT_EQ(
        only_trouble(seen).text,
        "no other server answered within 5.0 s, and in proxy mode boards need one for their address"
    );
}

TEST(Doctor, SpanningTreeOnTheBoardsWire) {
    Observation seen = sound();
    seen.wire->bridge = BridgeSighting{
        {SpanningTree::classic, *MacAddress::parse("02:11:22:33:44:ff"), 3, 15, std::nullopt}, 2};
    const Finding found = only_trouble(seen);
    EXPECT_EQ(found.severity, Severity::warning);
    EXPECT_EQ(
        found.text,
        "bridge 02:11:22:33:44:ff speaks classic spanning tree on its port 3: a board's port that "
        "is no edge port "
        "is deaf for 30 s after each link-up"
    );
}

TEST(Doctor, AWireThatCouldNotBeListenedTo) {
    Observation seen = sound();
    seen.wire.reset();
    seen.wire_error = "listening to frames needs root: Operation not permitted";
    const Finding found = only_trouble(seen);
    EXPECT_EQ(found.severity, Severity::unknown);
    EXPECT_EQ(found.remedy, "sudo bramble doctor");
}

TEST(Doctor, TwoServersOnOnePort) {
    Observation seen = sound();
    seen.sockets.push_back({Transport::udp, Ipv4Address(), 69, 77, "in.tftpd[812]"});
    EXPECT_EQ(only_trouble(seen).text, "in.tftpd[812] holds it, which Bramble needs for TFTP");
}

TEST(Doctor, NobodyServesNfs) {
    Observation seen = sound();
    std::erase_if(seen.sockets, [](const BoundSocket& socket) { return socket.port == 2049; });
    EXPECT_EQ(only_trouble(seen).subject, "port 2049/tcp");
    seen = sound();
    std::erase_if(seen.sockets, [](const BoundSocket& socket) { return socket.port == 111; });
    EXPECT_EQ(only_trouble(seen).text, "no portmapper listens: boards cannot mount NFSv3");
    seen.nfs.needs_rpcbind = false;
    EXPECT_FALSE(any_bad(diagnose(seen)));
}

TEST(Doctor, AnExportThatABoardWouldNotGet) {
    Observation seen = sound();
    seen.nfs.export_error = "pi-01: 172.16.1.1:/x: no such export";
    EXPECT_EQ(only_trouble(seen).remedy, "sudo bramble apply, then read the NFS server's log");
    seen = sound();
    seen.nfs.missing = "there is no NFS server on this machine";
    EXPECT_EQ(only_trouble(seen).severity, Severity::bad);
}

TEST(Doctor, ANasThatRootsCannotBeWrittenTo) {
    Observation seen = sound();
    seen.nas = NasLook{"172.16.1.9:/x", true, ""};
    seen.nfs.kind = NfsKind::external;
    EXPECT_NE(
        render(diagnose(seen))
            .find("ok    NAS 172.16.1.9:/x: can be written to, and root is root "),
        std::string::npos
    );
    // Its exports would only say the same again.
    seen.nas->problem = "172.16.1.9:/x: it is exported read-only: export it read-write";
    seen.nfs.exports = 0;
    EXPECT_EQ(only_trouble(seen).subject, "NAS 172.16.1.9:/x");
    EXPECT_EQ(only_trouble(seen).text, seen.nas->problem);
    EXPECT_EQ(only_trouble(seen).severity, Severity::bad);
    seen.nas = NasLook{"172.16.1.9:/x", false, ""};
    seen.nfs.exports = 2;
    EXPECT_EQ(only_trouble(seen).severity, Severity::unknown);
    EXPECT_EQ(only_trouble(seen).remedy, "sudo bramble doctor");
}

TEST(Doctor, AFirewallThatDropsTftp) {
    Observation seen = sound();
    seen.firewall->chains["inet t in"] =
        Chain{true, false, {Rule{{PortIn{Transport::udp, {{69, 69}}, false}}, Drop{}}}};
    const Finding found = only_trouble(seen);
    EXPECT_EQ(found.subject, "firewall 69/udp");
    EXPECT_EQ(found.text, "TFTP is dropped");
    seen.firewall.reset();
    seen.firewall_error = "nft is not installed (package nftables)";
    EXPECT_EQ(
        only_trouble(seen).text, "was not looked at: nft is not installed (package nftables)"
    );
}

TEST(Doctor, AStoreThatIsNearlyFull) {
    Observation seen = sound();
    seen.store.bytes_free = 1'000'000'000;
    EXPECT_EQ(only_trouble(seen).text, "1.0 GB are free of 100.0 GB");
    seen = sound();
    seen.store.files_free = 20;
    EXPECT_EQ(only_trouble(seen).text, "20 files can still be made of 1000");
    seen.store.exists = false;
    EXPECT_EQ(only_trouble(seen).remedy, "sudo bramble apply");
}

TEST(Doctor, ACopyOnWriteKindThatTheStoreCannotDo) {
    Observation seen = sound();
    seen.copy_on_write = {
        {"btrfs snapshot", false, false}, {"reflink", true, false}, {"overlay", true, true}};
    EXPECT_EQ(only_trouble(seen).subject, "copy-on-write reflink");
}

TEST(Doctor, AClockThatWasNeverSet) {
    Observation seen = sound();
    seen.clock = {false, 1970};
    EXPECT_EQ(only_trouble(seen).text, "says it is 1970");
    seen.clock.year = 2026;
    EXPECT_EQ(only_trouble(seen).severity, Severity::warning);
}

TEST(Doctor, WorstFirst) {
    Observation seen = sound();
    seen.clock = {false, 2026};
    seen.interface.carrier = false;
    const std::string text = render(diagnose(seen));
    EXPECT_TRUE(text.starts_with("BAD   interface eth1: has no carrier\n      -> plug the cable in")
    ) << text;
    EXPECT_NE(text.find("\nwarn  clock: is not synchronised"), std::string::npos) << text;
}

}  // namespace
}  // namespace bramble::doctor
