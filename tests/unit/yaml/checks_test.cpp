// One part against the other: the network, the names, the boards.
#include <gtest/gtest.h>

#include "tests/unit/yaml/memory_files.hpp"

namespace bramble::yaml {
namespace {

// What is wrong, one message a line, with places and without source lines.
std::string messages(const std::string& text) {
    std::string out;
    for (const Diagnostic& one : load_text(text).diagnostics) {
        out += std::to_string(one.line) + ":" + std::to_string(one.column) + ": ";
        out += (one.severity == Severity::warning ? "warning: " : "") + one.message + "\n";
    }
    return out;
}

std::string network(const std::string& address, const std::string& dhcp) {
    return messages(
        "version: 1\nappliance:\n  interface: eth1\n  address: " + address + "\n  dhcp: " + dhcp +
        "\n"
    );
}

// Boards that need no more than what the test is about; line 11 is the first.
std::string boards(const std::vector<std::string>& lines) {
    std::string text = good_fleet;
    for (const std::string& line : lines) text += "  - {" + line + ", profile: lab}\n";
    return messages(text);
}

TEST(NetworkChecksTest, ThePoolIsInsideAndLeavesTheOthersAlone) {
    EXPECT_EQ(network("172.16.1.1/24", "{pool: {from: 172.16.1.2, to: 172.16.1.254}}"), "");
    EXPECT_EQ(
        network("172.16.1.1/24", "{pool: {from: 172.16.0.200, to: 172.16.1.255}}"),
        "5:16: the pool 172.16.0.200 to 172.16.1.255 contains Bramble's own address 172.16.1.1 "
        "(leave it out of the pool)\n"
        "5:23: the pool's end 172.16.0.200 is not an address for a board in 172.16.1.1/24 (hosts: "
        "172.16.1.1 to 172.16.1.254)\n"
        "5:41: the pool's end 172.16.1.255 is not an address for a board in 172.16.1.1/24 (hosts: "
        "172.16.1.1 to 172.16.1.254)\n"
    );
    EXPECT_EQ(
        network(
            "172.16.1.1/24",
            "{pool: {from: 172.16.1.2, to: 172.16.1.9}, router: 172.16.1.3, dns: [172.16.1.4, "
            "9.9.9.9]}"
        ),
        "5:16: the pool 172.16.1.2 to 172.16.1.9 contains the router 172.16.1.3 (leave it out of "
        "the "
        "pool)\n"
        "5:16: the pool 172.16.1.2 to 172.16.1.9 contains the name server 172.16.1.4 (leave it out "
        "of "
        "the pool)\n"
    );
    EXPECT_EQ(
        network("10.0.0.1/8", "{pool: {from: 10.1.0.0, to: 10.3.0.0}}"),
        "5:16: the pool has more than 65536 addresses (make it smaller)\n"
    );
}

TEST(NetworkChecksTest, OnlyAnAuthoritativeServerHasAPool) {
    EXPECT_EQ(
        network("172.16.1.1/24", "{mode: proxy, pool: {from: 172.16.1.2, to: 172.16.1.9}}"),
        "5:29: a pool is leased from only in authoritative mode (take it out, or change the mode "
        "proxy)\n"
    );
    EXPECT_EQ(network("172.16.1.1/24", "{mode: off}"), "");
}

TEST(NetworkChecksTest, AddressesAreWhereTheyCanBeReached) {
    EXPECT_EQ(
        network("172.16.1.0/24", "{}"),
        "4:12: 172.16.1.0 is the network itself or its broadcast address (give this machine's own "
        "address in it)\n"
    );
    EXPECT_EQ(
        network("172.16.1.1/24", "{router: 10.0.0.1}"),
        "5:18: the router 10.0.0.1 is outside of 172.16.1.1/24 (boards cannot reach it)\n"
    );
}

TEST(BoardChecksTest, NoTwoBoardsAreOne) {
    EXPECT_EQ(
        boards(
            {"name: a, serial: 00000001, mac: \"dc:a6:32:00:00:01\", address: 172.16.1.2",
             "name: A, serial: 100000000000001, address: 172.16.1.3",
             "name: b, serial: 1000000000000001, mac: \"DC-A6-32-00-00-01\", address: 172.16.1.2"}
        ),
        "12:12: duplicate board name 'A' (also at fleet.yaml:11:12: two boards cannot share it)\n"
        "12:23: '100000000000001' is not a serial number (eight hex digits, like 5b154510)\n"
        "13:23: duplicate serial number '00000001' (also at fleet.yaml:11:23: two boards cannot "
        "share "
        "it)\n"
        "13:46: duplicate MAC address 'dc:a6:32:00:00:01' (also at fleet.yaml:11:38: two boards "
        "cannot "
        "share it)\n"
        "13:76: duplicate address '172.16.1.2' (also at fleet.yaml:11:68: two boards cannot share "
        "it)\n"
    );
}

TEST(BoardChecksTest, SomethingTellsABoardFromOthers) {
    EXPECT_EQ(
        boards({"name: a, address: 172.16.1.2"}),
        "11:5: board 'a' has neither serial nor mac: nothing tells it from others (add one)\n"
    );
    EXPECT_EQ(
        boards({"name: a, serial: 00000001, address: 172.16.1.2, tftp_prefix: mac"}),
        "11:67: board 'a' asks for files by a MAC that is not known (add `mac`)\n"
    );
    // A serial that is there and wrong is one problem, not two.
    EXPECT_EQ(
        boards({"name: a, serial: x, address: 172.16.1.2"}),
        "11:23: 'x' is not a serial number (eight hex digits, like 5b154510)\n"
    );
}

TEST(BoardChecksTest, AddressesAreFreeAndInside) {
    EXPECT_EQ(
        boards({"name: a, serial: 00000001, address: 172.16.1.1"}),
        "11:42: 172.16.1.1 is Bramble's own address (at fleet.yaml:4:12: give the board another)\n"
    );
    EXPECT_EQ(
        boards({"name: a, serial: 00000001, address: 172.16.1.255"}),
        "11:42: 172.16.1.255 is not an address for a board in 172.16.1.1/24 (hosts: 172.16.1.1 to "
        "172.16.1.254)\n"
    );
    // A reservation inside of the pool is fine: it is leased to nobody else.
    EXPECT_EQ(boards({"name: a, serial: 00000001, address: 172.16.1.150"}), "");
}

TEST(BoardChecksTest, ABoardWithoutAnAddressNeedsAPool) {
    EXPECT_EQ(
        messages("version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
                 "images: {lite: {source: {file: a}}}\nprofiles: {lab: {image: lite}}\n"
                 "boards:\n  - {name: a, serial: 00000001, profile: lab}\n"),
        "6:5: board 'a' has no address and there is no pool (give it an `address`, or add dhcp: "
        "{pool: "
        "{from:, to:}})\n"
    );
}

TEST(BoardChecksTest, AStaticAddressIsTheBoardsOwn) {
    const std::string text =
        "version: 1\nappliance:\n  interface: eth1\n  address: 172.16.1.1/24\n"
        "  dhcp: {pool: {from: 172.16.1.100, to: 172.16.1.200}}\n"
        "images: {os: {source: {file: os.img}}}\n"
        "profiles: {lab: {image: os, root: {ip: static}}}\nboards:\n";
    EXPECT_EQ(
        messages(text + "  - {name: a, serial: 00000001, address: 172.16.1.3, profile: lab}\n"), ""
    );
    EXPECT_EQ(
        messages(text + "  - {name: a, serial: 00000001, profile: lab}\n"),
        "9:5: board 'a' has no address of its own, which its profile's `ip: static` needs (give it "
        "an `address`)\n"
    );
}

TEST(BoardChecksTest, ModelsFitTheirProfile) {
    EXPECT_EQ(boards({"name: a, serial: 00000001, address: 172.16.1.2, model: pi400"}), "");
    EXPECT_EQ(
        boards({"name: a, serial: 00000001, address: 172.16.1.2, model: generic"}),
        "11:5: board 'a' is generic: it shows no serial, only its MAC (add `mac`)\n"
        "11:61: board 'a' is generic, its profile 'lab' is for pi4 (make a profile of its own for "
        "it)\n"
    );
}

TEST(ReferenceChecksTest, NamesPointToSomething) {
    const std::string head =
        "version: 1\nappliance: {interface: e, address: 10.0.0.1/24, unknown_boards: "
        "{enroll: lob}}\n";
    EXPECT_EQ(
        messages(
            head + "images: {lite: {source: {file: a}}, full: {source: {file: b}}}\n"
                   "kernels: {own: {source: {deb: linux-image-arm64}}}\n"
                   "profiles:\n"
                   "  lab: {image: life, kernel: owm}\n"
                   "  attic: {image: buster}\n"
        ),
        "2:74: unknown profile 'lob' (did you mean 'lab'?)\n"
        "2:74: boards that enroll need addresses, and there is no pool (add dhcp: {pool: {from:, "
        "to:}})\n"
        "6:16: unknown image 'life' (did you mean 'lite'?)\n"
        "6:30: unknown kernel 'owm' (did you mean 'own'?)\n"
        "7:18: unknown image 'buster' (known: lite, full)\n"
    );
}

TEST(ReferenceChecksTest, ARootNeedsAnImageThatHasOne) {
    const std::string head =
        "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
        "images: {files: {source: {directory: {boot: boot}}}}\n";
    EXPECT_EQ(
        messages(head + "profiles: {lab: {image: files, root: {mode: shared}}}\n"),
        "4:45: image 'files' has no root to give (add `root:` to its directory source, or write "
        "mode: "
        "none)\n"
    );
    const auto result = load_text(head + "profiles: {lab: {image: files}}\n");
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    EXPECT_EQ(result.fleet->profiles[0].root.mode, fleet::RootMode::none);
    EXPECT_EQ(std::get<fleet::DirectorySource>(result.fleet->images[0].source).boot, "/lab/boot");
}

TEST(ReferenceChecksTest, A32BitKernelRunsNo64BitPrograms) {
    EXPECT_EQ(
        messages("version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
                 "images: {deb: {source: {debian: {suite: sid}}}}\n"
                 "kernels: {k: {source: {path: linux}, arch: arm, defconfig: d}}\n"
                 "profiles: {lab: {image: deb, kernel: k}}\n"),
        "5:38: kernel 'k' is for arm and cannot run the arm64 programs of image 'deb' (give the "
        "image "
        "arch: armhf, or the kernel arch: arm64)\n"
    );
}

}  // namespace
}  // namespace bramble::yaml
