// A whole file: what the fleet is after it, value by value; the examples; the file that is not
// there.
#include "config/yaml/load.hpp"

#include <gtest/gtest.h>

#include "tests/unit/yaml/memory_files.hpp"

namespace bramble::yaml {
namespace {

using namespace std::chrono_literals;
using namespace fleet;

LoadResult load_example(const std::string& name) {
    DiskFiles files;
    return load(std::string(BRAMBLE_SOURCE_DIR) + "/config/examples/" + name, files);
}

TEST(LoadTest, TheExamplesHaveNoFault) {
    for (const char* name : {"lab.yaml", "first-boot.yaml", "reference.yaml"}) {
        const LoadResult result = load_example(name);
        EXPECT_TRUE(result.fleet) << name;
        EXPECT_EQ(render(result.diagnostics), "") << name;
    }
}

TEST(LoadTest, TheDesignsFleetIsReadValueByValue) {
    const LoadResult result = load_example("lab.yaml");
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    const Fleet& fleet = *result.fleet;
    const std::filesystem::path here = std::string(BRAMBLE_SOURCE_DIR) + "/config/examples";
    EXPECT_EQ(fleet.appliance.interface, "eth1");
    EXPECT_EQ(fleet.appliance.address.to_string(), "172.16.1.1/24");
    EXPECT_EQ(fleet.appliance.dhcp.mode, DhcpMode::authoritative);
    EXPECT_EQ(fleet.appliance.dhcp.pool->count(), 100U);
    EXPECT_EQ(fleet.appliance.dhcp.lease, 1h);
    EXPECT_EQ(fleet.appliance.dhcp.dns.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<NfsAuto>(fleet.appliance.nfs));
    EXPECT_EQ(fleet.appliance.admin.port, 8080);
    EXPECT_EQ(fleet.appliance.store, "/var/lib/bramble");
    EXPECT_TRUE(std::holds_alternative<HoldUnknown>(fleet.appliance.unknown_boards));
    const Image& image = *fleet.find_image("lite");
    EXPECT_EQ(
        std::get<FileSource>(image.source).location,
        (here / "2020-12-02-raspios-buster-armhf-lite.zip").string()
    );
    ASSERT_EQ(image.customize.packages.size(), 2U);
    EXPECT_EQ(image.customize.packages[0], (Placed{"fio", {0, 23, 18}}));
    EXPECT_EQ(image.customize.packages[1].text, "libssl-dev");
    EXPECT_EQ(image.customize.run.size(), 1U);
    const Kernel& kernel = *fleet.find_kernel("verity");
    EXPECT_EQ(std::get<GitSource>(kernel.source).branch, "rpi-5.10.y");
    EXPECT_EQ(kernel.arch, KernelArch::arm);
    EXPECT_EQ(kernel.options.at("DM_DEBUG"), "y");
    const Profile& profile = *fleet.find_profile("lab");
    EXPECT_EQ(profile.kernel, "verity");
    EXPECT_EQ(profile.root.mode, RootMode::per_board);
    EXPECT_EQ(profile.config_txt, (std::vector<ConfigEntry>{{"enable_uart", "1"}}));
    ASSERT_EQ(fleet.boards.size(), 2U);
    EXPECT_EQ(fleet.boards[0].serial, Serial(0x5b154510));
    EXPECT_EQ(fleet.boards[0].address->to_string(), "172.16.1.3");
    EXPECT_EQ(fleet.boards[0].where, (SourceLocation{0, 46, 5}));
    EXPECT_EQ(fleet.boards[1].name, "pi-02");
    EXPECT_EQ(fleet.boards[1].where.file, 1U);
    ASSERT_EQ(fleet.sources.size(), 2U);
    EXPECT_EQ(fleet.sources[1].path, here / "boards.d/pi-02.yaml");
}

TEST(LoadTest, TheReferenceShowsEveryKindOfValue) {
    const LoadResult result = load_example("reference.yaml");
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    const Fleet& fleet = *result.fleet;
    EXPECT_EQ(fleet.appliance.dhcp.domain, "lab.example.org");
    EXPECT_EQ(fleet.appliance.admission.link_bits_per_second, 1'000'000'000U);
    EXPECT_EQ(std::get<EnrollUnknown>(fleet.appliance.unknown_boards).profile, "lab");
    const Customization& customize = fleet.find_image("pi-os")->customize;
    EXPECT_EQ(customize.files.at("/etc/motd").source->filename(), "motd");
    EXPECT_EQ(customize.files.at("/etc/motd").mode, std::nullopt);
    const RootFile& written = customize.files.at("/usr/local/bin/hello");
    EXPECT_EQ(written.content, "#!/bin/sh\necho hello\n");
    EXPECT_EQ(written.mode, 0755U);
    EXPECT_EQ(written.owner, "lab:lab");
    ASSERT_EQ(customize.users.size(), 1U);
    EXPECT_EQ(customize.users[0].groups, (std::vector<std::string>{"video", "gpio"}));
    EXPECT_EQ(std::get<DebianSource>(fleet.find_image("bookworm")->source).suite, "bookworm");
    EXPECT_EQ(
        std::get<DebSource>(fleet.find_kernel("debian")->source).package, "linux-image-arm64"
    );
    const Profile& profile = *fleet.find_profile("lab");
    EXPECT_EQ(profile.root.keep, (std::vector<std::string>{"/home", "/etc/ssh"}));
    EXPECT_EQ(
        profile.config_txt,
        (std::vector<ConfigEntry>{
            {"enable_uart", "1"},
            {"dtoverlay", "disable-bt"},
            {"dtoverlay", "disable-wifi"},
            {"include", "lab.txt"},
            {"[pi400]", ""},
            {"arm_freq", "1800"},
            {"[all]", ""}})
    );
    EXPECT_TRUE(profile.users.at(0).sudo);
    EXPECT_EQ(fleet.find_profile("guest")->dhcp_bootfile, "boot.scr.uimg");
    EXPECT_EQ(fleet.model_of(*fleet.find_board("pi-01")), BoardModel::pi400);
    EXPECT_EQ(fleet.model_of(*fleet.find_board("guest-1")), BoardModel::generic);
}

TEST(LoadTest, AFileThatIsNotThereIsNamed) {
    MemoryFiles files;
    EXPECT_EQ(
        render(load("/etc/bramble/fleet.yaml", files).diagnostics),
        "/etc/bramble/fleet.yaml: cannot be read: No such file or directory (say which file with "
        "--fleet FILE)\n"
    );
    DiskFiles disk;
    EXPECT_EQ(
        render(load("/", disk).diagnostics),
        "/: cannot be read: it is not a regular file (say which file with --fleet FILE)\n"
    );
}

TEST(LoadTest, WhatMustBeThereIsAskedFor) {
    EXPECT_EQ(
        problems("boards: []\n"),
        "fleet.yaml:1:1: the key 'version' is missing (begin the file with `version: 1`)\n"
        "boards: []\n"
        "^ near here\n"
        "fleet.yaml:1:1: the key 'appliance' is missing (say on which interface and address "
        "Bramble "
        "serves)\n"
        "boards: []\n"
        "^ near here\n"
    );
    EXPECT_EQ(
        problems("version: 1\nappliance:\n  store: /srv\n"),
        "fleet.yaml:3:3: appliance needs the key 'interface'\n"
        "  store: /srv\n"
        "  ^ near here\n"
        "fleet.yaml:3:3: appliance needs the key 'address'\n"
        "  store: /srv\n"
        "  ^ near here\n"
    );
}

TEST(LoadTest, AllProblemsAreToldNotTheFirst) {
    EXPECT_EQ(
        problems("version: 1\n"
                 "appliance: {interface: eth1, address: 172.16.1.1/24, stor: /x}\n"
                 "profiles:\n"
                 "  lab:\n"
                 "    image: lite\n"
                 "    model: pi6\n"
                 "boards:\n"
                 "  - {name: a, serial: 00000001, address: 10.0.0.1, profile: lob}\n"),
        "fleet.yaml:2:54: unknown key 'stor' in appliance (did you mean 'store'?)\n"
        "appliance: {interface: eth1, address: 172.16.1.1/24, stor: /x}\n"
        "                                                     ^ near here\n"
        "fleet.yaml:5:12: unknown image 'lite' (there is none: add it under `images:`)\n"
        "    image: lite\n"
        "           ^ near here\n"
        "fleet.yaml:6:12: unknown board model 'pi6' (known: pi3, pi4, pi400, cm4, pi5, generic)\n"
        "    model: pi6\n"
        "           ^ near here\n"
        "fleet.yaml:8:42: 10.0.0.1 is not an address for a board in 172.16.1.1/24 (hosts: "
        "172.16.1.1 "
        "to 172.16.1.254)\n"
        "  - {name: a, serial: 00000001, address: 10.0.0.1, profile: lob}\n"
        "                                         ^ near here\n"
        "fleet.yaml:8:61: unknown profile 'lob' (did you mean 'lab'?)\n"
        "  - {name: a, serial: 00000001, address: 10.0.0.1, profile: lob}\n"
        "                                                            ^ near here\n"
    );
}

TEST(LoadTest, AWarningKeepsNothingFromWorking) {
    const auto result = load_text(good_fleet + "  - {name: a, serial: 00000001, profile: lab}\n");
    EXPECT_TRUE(result.fleet);
    EXPECT_EQ(
        render(result.diagnostics),
        "fleet.yaml:11:5: warning: board 'a' has a root but no address of its own: the root cannot "
        "be "
        "exported to it alone (give it an `address`)\n"
        "  - {name: a, serial: 00000001, profile: lab}\n"
        "    ^ near here\n"
    );
}

TEST(LoadTest, TheDigestFollowsEveryByteAndEveryFile) {
    const auto digest = [](const std::string& text) {
        return fleet_digest(*load_text(text).fleet);
    };
    EXPECT_EQ(digest(good_fleet), digest(good_fleet));
    EXPECT_NE(digest(good_fleet), digest(good_fleet + "#\n"));
    Fleet one;
    one.sources = {{"/a", "xy"}, {"/b", ""}};
    Fleet two;
    two.sources = {{"/a", "x"}, {"/b", "y"}};
    EXPECT_NE(fleet_digest(one), fleet_digest(two));
}

// Truncated at every length, a file is a fleet or has problems, and nothing is thrown.
TEST(LoadTest, TruncatedAnywhereNothingIsThrown) {
    DiskFiles disk;
    const auto path = std::string(BRAMBLE_SOURCE_DIR) + "/config/examples/lab.yaml";
    const std::string text = disk.read(path, 1U << 20U).value();
    for (std::size_t length = 0; length < text.size(); ++length) {
        const auto result = load_text(text.substr(0, length));
        EXPECT_TRUE(result.fleet || !result.diagnostics.empty()) << length;
    }
}

}  // namespace
}  // namespace bramble::yaml
