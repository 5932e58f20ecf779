// Every kind of value with what it refuses: the whole message each time.
#include <gtest/gtest.h>

#include "tests/unit/yaml/memory_files.hpp"

namespace bramble::yaml {
namespace {

// The first line of what is wrong after `line`, without its place.
std::string message(const std::string& text, const std::string& place) {
    const std::string all = problems(text);
    const std::string start = "fleet.yaml:" + place + ": ";
    if (!all.starts_with(start)) return all;
    return all.substr(start.size(), all.find('\n') - start.size());
}

struct Case {
    const char* value;
    const char* column;
    const char* message;
};

// `key: value` in the appliance, on line 5.
void expect_in_appliance(const std::vector<Case>& cases) {
    for (const Case& one : cases) {
        const std::string text =
            "version: 1\nappliance:\n  interface: eth1\n  address: 172.16.1.1/24\n  " +
            std::string(one.value) + "\n";
        EXPECT_EQ(message(text, std::string("5:") + one.column), one.message) << one.value;
    }
}

TEST(ApplianceKeysTest, WhatIsRefused) {
    expect_in_appliance({
        {"dhcp: {mode: on}", "16", "unknown DHCP mode 'on' (known: authoritative, proxy, off)"},
        {"dhcp: {lease: 1}",
         "17",
         "'1' is not a duration (a number with ms, s, m, h or d, like 90s or 1h)"},
        {"dhcp: {lease: 10s}", "17", "10s is out of bounds (from 1m 0s to 365d 0h)"},
        {"dhcp: {router: gw}", "18", "'gw' is not an IPv4 address (like 172.16.1.3)"},
        {"dhcp: {dns: 172.16.1.1}",
         "15",
         "a list belongs here, this is a single value (write [172.16.1.1])"},
        {"dhcp: {domain: a_b}", "18", "'a_b' is not a domain name (like lab.example.org)"},
        {"dhcp: {pool: {from: 172.16.1.9}}", "16", "a pool needs the key 'to'"},
        {"dhcp: {pool: {from: 172.16.1.9, to: 172.16.1.8}}",
         "39",
         "the pool ends at 172.16.1.8 before it begins at 172.16.1.9 (swap them)"},
        {"dhcp: {pools: {}}", "10", "unknown key 'pools' in dhcp (did you mean 'pool'?)"},
        {"nfs: {backend: samba}",
         "18",
         "unknown NFS backend 'samba' (known: auto, kernel, ganesha, external)"},
        {"nfs: {backend: external}", "8", "an external NFS backend needs both `server` and `path`"},
        {"nfs: {server: nas}",
         "17",
         "only an external NFS backend has this (write backend: external)"},
        {"nfs: {backend: external, server: nas, path: export}",
         "47",
         "'export' is not an absolute path without '..'"},
        {"admin: {listen: 8080}",
         "19",
         "'8080' is not an address with a port (write it like 127.0.0.1:8080)"},
        {"admin: {listen: \"127.0.0.1:0\"}",
         "19",
         "'127.0.0.1:0' is not an address with a port (write it like 127.0.0.1:8080)"},
        {"admin: {listen: \"0.0.0.0:8080\"}",
         "19",
         "0.0.0.0 can be reached from outside of this machine (add token_file: FILE, or listen on "
         "127.0.0.1)"},
        {"tftp: {workers: 65}", "19", "'65' is not a whole number from 0 to 64"},
        {"tftp: {workers: -1}", "19", "'-1' is not a whole number from 0 to 64"},
        {"tftp: {retransmit_floor: 20ms}", "28", "20ms is out of bounds (from 50 ms to 10.0 s)"},
        {"admission: maybe", "14", "unknown switch 'maybe' (known: true, false, on, off, yes, no)"},
        {"admission: {link: 1GiB}",
         "21",
         "'1GiB' is not a link's speed (a number with kbit, Mbit or Gbit, like 1Gbit)"},
        {"admission: {group_max: -1}", "26", "'-1' is not a whole number from 0 to 10000"},
        {"admission: {silence: 1s}", "24", "1s is out of bounds (from 5.0 s to 10m 0s)"},
        {"unknown_boards: drop",
         "19",
         "unknown way to treat unknown boards 'drop' (known: hold, ignore)"},
        {"unknown_boards: {enrol: lab}",
         "20",
         "unknown key 'enrol' in unknown_boards (did you mean 'enroll'?)"},
        {"store: [a]", "10", "a text belongs here, this is a list"},
        {"store: http://x", "10", "a path belongs here, this is a URL (download it first)"},
        {"store:", "3", "a text belongs here, this is nothing"},
        {"<<: {}",
         "3",
         "unknown key '<<' in appliance (merge keys are not read: a profile holds what boards "
         "share)"},
    });
    EXPECT_EQ(
        message("version: 1\nappliance: {interface: eth1/0, address: 172.16.1.1/24}\n", "2:24"),
        "'eth1/0' is not a network interface's name (like eth1; `ip link` lists them)"
    );
    EXPECT_EQ(
        message("version: 1\nappliance: {interface: eth1, address: 172.16.1.1}\n", "2:39"),
        "'172.16.1.1' is not an address with its network (like 172.16.1.1/24)"
    );
}

TEST(ApplianceKeysTest, WhatIsAccepted) {
    const auto appliance = [](const std::string& line) {
        auto result = load_text(
            "version: 1\nappliance:\n  interface: eth1\n  address: 172.16.1.1/24\n  " + line + "\n"
        );
        EXPECT_TRUE(result.fleet) << render(result.diagnostics);
        return result.fleet ? result.fleet->appliance : fleet::Appliance{};
    };
    EXPECT_FALSE(appliance("admission: off").admission.enabled);
    EXPECT_FALSE(appliance("admission: {enabled: no}").admission.enabled);
    EXPECT_EQ(appliance("admission: {link: 940Mbit}").admission.link_bits_per_second, 940'000'000U);
    EXPECT_EQ(appliance("admission: {group_max: 8}").admission.group_max, 8U);
    EXPECT_EQ(
        appliance("admission: {file_timeout: 1m}").admission.file_timeout, std::chrono::minutes(1)
    );
    EXPECT_EQ(appliance("admission: {silence: 20s}").admission.silence, std::chrono::seconds(20));
    EXPECT_EQ(appliance("store: here").store, "/lab/here");
    EXPECT_EQ(appliance("store: ../here").store, "/here");
    const auto open = appliance("admin: {listen: \"0.0.0.0:80\", token_file: token}");
    EXPECT_EQ(open.admin.address, "0.0.0.0");
    EXPECT_EQ(open.admin.token_file, "/lab/token");
    EXPECT_FALSE(open.admin.wall);
    const auto shown = appliance("admin: {names: [lab.example], public: \"0.0.0.0:8082\"}").admin;
    EXPECT_EQ(shown.names, std::vector<std::string>{"lab.example"});
    ASSERT_TRUE(shown.wall);
    EXPECT_EQ(shown.wall->port, 8082U);
    const auto nas = appliance("nfs: {backend: external, server: nas, path: /x/y/}");
    EXPECT_EQ(std::get<fleet::NfsExternal>(nas.nfs).server, "nas");
    EXPECT_TRUE(std::holds_alternative<fleet::IgnoreUnknown>(
        appliance("unknown_boards: ignore").unknown_boards
    ));
}

TEST(ImageKeysTest, WhatIsRefused) {
    const std::vector<Case> cases = {
        {"{}", "9", "an image needs the key 'source'"},
        {"{source: {}}",
         "18",
         "an image's source needs one of these keys: file, directory, debian"},
        {"{source: {file: a, debian: {suite: b}}}",
         "18",
         "an image's source may have only one of these keys: file, directory, debian"},
        {"{source: {file: ftp://a/b}}", "25", "this kind of URL is not known (known: http, https)"},
        {"{source: {directory: {}}}", "30", "a directory source needs `boot`, `root` or both"},
        {"{source: {debian: {suite: Bookworm}}}",
         "35",
         "'Bookworm' is not a Debian suite (like bookworm)"},
        {"{source: {debian: {suite: sid, arch: amd64}}}",
         "46",
         "unknown Debian architecture 'amd64' (known: arm64, armhf, armel)"},
        {"{source: {file: a}, customize: {packages: [\"fio; reboot\"]}}",
         "52",
         "'fio; reboot' is not a Debian package's name (like fio)"},
        {"{source: {file: a}, customize: {enable: [-x]}}",
         "50",
         "'-x' is not a systemd unit's name (like ssh or fstrim.timer)"},
        {"{source: {file: a}, customize: {files: {etc/motd: motd}}}",
         "49",
         "'etc/motd' is not an absolute path without '..'"},
        {"{source: {file: a}, customize: {files: {/etc/../motd: motd}}}",
         "49",
         "'/etc/../motd' is not an absolute path without '..'"},
        {"{source: {file: a}, customize: {files: {/a: {}}}}",
         "53",
         "a file needs one of these keys: source, content"},
        {"{source: {file: a}, customize: {files: {/a: {content: b, mode: 888}}}}",
         "72",
         "'888' is not an octal mode (like 0644 or 4755)"},
        {"{source: {file: a}, customize: {files: {/a: {content: b, owner: \"a b\"}}}}",
         "73",
         "'a b' is not an owner (like root, pi:pi or 1000:1000)"},
        {"{source: {file: a}, customize: {users: [{name: pi, groups: [Video]}]}}",
         "69",
         "'Video' is not a group's name (like gpio)"},
        {"{source: {file: a}, customize: {run: [\"\"]}}", "47", "an empty text means nothing here"},
    };
    for (const Case& one : cases) {
        const std::string text =
            "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\nimages:\n  lite: " +
            std::string(one.value) + "\n";
        EXPECT_EQ(message(text, std::string("4:") + one.column), one.message) << one.value;
    }
    EXPECT_EQ(
        message(
            good_fleet + "  []\nkernels: {../x: {source: {deb: linux-image-arm64}}}\n", "12:11"
        ),
        "'../x' is not a name of kernel (letters, digits, '.', '_' and '-', up to 63)"
    );
}

TEST(ImageKeysTest, UrlsStayAsTheyAre) {
    const auto result = load_text(
        "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
        "images: {a: {source: {file: https://example.org/a/../b.img.xz}}}\n"
    );
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    EXPECT_EQ(
        std::get<fleet::FileSource>(result.fleet->images[0].source).location,
        "https://example.org/a/../b.img.xz"
    );
}

TEST(KernelKeysTest, WhatIsRefused) {
    const std::vector<Case> cases = {
        {"{source: {git: u}}",
         "6",
         "a kernel from sources needs `defconfig` (like bcm2711_defconfig)"},
        {"{source: {git: --upload-pack=x}, defconfig: d}",
         "21",
         "'--upload-pack=x' is not a git repository (like https://github.com/raspberrypi/linux)"},
        {"{source: {git: u, branch: -x}, defconfig: d}", "32", "'-x' is not a branch's name"},
        {"{source: {path: u, branch: x}, defconfig: d}", "33", "only a git source has this"},
        {"{source: {path: u, sha256: "
         "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0}, defconfig: d}",
         "33",
         "only an archive has a `sha256`"},
        {"{source: {deb: linux-image-arm64}, options: {A: y}}",
         "50",
         "a Debian kernel package is built already (take this out, or use sources)"},
        {"{source: {path: u}, defconfig: d, presets: [veritas]}",
         "50",
         "unknown kernel preset 'veritas' (known: nfsroot, verity, observe, livepatch, kdump, "
         "netconsole)"},
        {"{source: {path: u}, defconfig: d, options: {CONFIG_A: y}}",
         "50",
         "write the option without CONFIG_: A"},
        {"{source: {path: u}, defconfig: d, arch: arm32}",
         "46",
         "unknown kernel architecture 'arm32' (known: arm, arm64)"},
        {"{source: {path: u}, defconfig: d e}",
         "37",
         "'d e' is not a configuration's name (like bcm2711_defconfig) or file (like "
         "./my.config)"},
    };
    for (const Case& one : cases) {
        const std::string text =
            "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\nkernels:\n  k: " +
            std::string(one.value) + "\n";
        EXPECT_EQ(message(text, std::string("4:") + one.column), one.message) << one.value;
    }
}

TEST(ProfileKeysTest, WhatIsRefused) {
    const std::string long_line(97, 'x');
    const std::string long_entry = "config_txt: {k: " + long_line + "}";
    const std::vector<Case> cases = {
        {"cmdline: [root=/dev/sda]",
         "15",
         "root= is written by Bramble (take it out; `root:` of a profile says how)"},
        {"cmdline: [quiet, \"nfsroot=x\"]",
         "22",
         "nfsroot= is written by Bramble (take it out; `root:` of a profile says how)"},
        {"cmdline: [ip=dhcp]",
         "15",
         "ip= is written by Bramble (take it out; `root:` of a profile says how)"},
        {"cmdline: [quiet splash]",
         "15",
         "one kernel parameter belongs here, this is several (make each an entry of the list)"},
        {"cmdline: [caf\xc3\xa9]", "15", "a kernel parameter must be plain ASCII"},
        {"config_txt: {\"a[pi4]\": 1}",
         "28",
         "'a[pi4]' is not a key of config.txt (like enable_uart)"},
        {"config_txt: {\"[pi4]\": 1}",
         "27",
         "a filter holds entries of its own (write \"[pi4]\": {arm_freq: 1800})"},
        {"config_txt: {\"[pi6]\": {k: 1}}",
         "18",
         "'[pi6]' is not a filter of config.txt (like [all], [pi4], [cm4], [board-type=0x11], "
         "[0x5b154510], [gpio4=1])"},
        {"config_txt: {\"[pi4]\": {\"[cm4]\": {k: 1}}}",
         "28",
         "'[cm4]' ends '[pi4]', in which it stands (write it beside)"},
        {"config_txt: {\"[pi4]\": {\"[all]\": {k: 1}}}",
         "28",
         "'[all]' ends '[pi4]', in which it stands (write it beside)"},
        {"config_txt: {\"[pi4]\": {\"[gpio4=1]\": {\"[tryboot]\": {\"[0x1]\": {k: 1}}}}}",
         "56",
         "more than 3 filters inside of each other"},
        {"config_txt: {\"[pi4]\": {k: {a: 1}}}", "31", "a value belongs here, this is a mapping"},
        {"config_txt: {k: \xc3\xa9}", "21", "config.txt must be plain ASCII on one line"},
        {long_entry.c_str(), "21", "the firmware reads 98 bytes of a line, this one is longer"},
        {"boot_files: {../x: y}",
         "18",
         "'../x' is not a path below a board's boot directory (like overlays/mine.dtbo)"},
        {"root: {mode: private}",
         "18",
         "unknown root mode 'private' (known: per-board, shared, none)"},
        {"root: {nfs_version: 2}", "25", "unknown NFS version '2' (known: 3, 4, 4.1, 4.2)"},
        {"root: {ip: fixed}",
         "16",
         "unknown way to give the kernel its address 'fixed' (known: dhcp, static)"},
        {"root: {keep: [/home]}", "18", "paths are kept only with on_base_change: keep"},
        {"root: {on_base_change: keep, keep: [home]}",
         "40",
         "'home' is not an absolute path without '..'"},
        {"users: [{name: Pi}]", "20", "'Pi' is not a user's name (like pi)"},
        {"users: [{name: pi, password_hash: raspberry}]",
         "39",
         "'raspberry' is not a crypt(3) hash (make one with `openssl passwd -6`)"},
        {"model: pi6",
         "12",
         "unknown board model 'pi6' (known: pi3, pi4, pi400, cm4, pi5, generic)"},
        {"kernel: mine", "13", "unknown kernel 'mine' (there is none: add it under `kernels:`)"},
        {"dhcp: {file: x}", "12", "unknown key 'file' in a profile's dhcp (known: bootfile)"},
    };
    for (const Case& one : cases) {
        const std::string text =
            "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
            "images: {lite: {source: {file: a}}}\nprofiles:\n  lab:\n    image: lite\n    " +
            std::string(one.value) + "\n";
        EXPECT_EQ(message(text, std::string("7:") + one.column), one.message) << one.value;
    }
}

TEST(ProfileKeysTest, ParametersWithQuotedBlanksAndOnesThatOnlyBeginLikeOurs) {
    const auto result = load_text(
        "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
        "images: {lite: {source: {file: a}}}\n"
        "profiles: {lab: {image: lite, cmdline: [rootwait, ipv6.disable=1, 'dyndbg=\"file x "
        "+p\"']}}\n"
    );
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    EXPECT_EQ(result.fleet->profiles[0].cmdline.size(), 3U);
}

// As people write it, and as YAML parts it.
TEST(ProfileKeysTest, AConsoleKeepsItsSpeed) {
    const auto cmdline_of = [](const std::string& list) {
        const auto result = load_text(
            "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
            "images: {lite: {source: {file: a}}}\nprofiles: {lab: {image: lite, cmdline: [" +
            list + "]}}\n"
        );
        EXPECT_TRUE(result.fleet) << render(result.diagnostics);
        return result.fleet ? result.fleet->profiles[0].cmdline : std::vector<std::string>{};
    };
    using Words = std::vector<std::string>;
    EXPECT_EQ(
        cmdline_of("console=serial0,115200, console=tty1"),
        (Words{"console=serial0,115200", "console=tty1"})
    );
    EXPECT_EQ(
        cmdline_of("console=ttyAMA0,115200n8, quiet"), (Words{"console=ttyAMA0,115200n8", "quiet"})
    );
    EXPECT_EQ(
        cmdline_of("'console=serial0,115200', console=tty1"),
        (Words{"console=serial0,115200", "console=tty1"})
    );
    EXPECT_EQ(cmdline_of("quiet, 3, 15"), (Words{"quiet", "3", "15"})) << "init's own words";
    EXPECT_EQ(cmdline_of("loglevel=4, one"), (Words{"loglevel=4", "one"}));
}

// Fact sheet 7.1: filters of different kinds hold together, [all] ends all of them.
TEST(ProfileKeysTest, FiltersOfConfigTxtHoldEntriesOfTheirOwn) {
    const auto result = load_text(
        "version: 1\nappliance: {interface: e, address: 10.0.0.1/24}\n"
        "images: {lite: {source: {file: a}}}\n"
        "profiles:\n  lab:\n    image: lite\n    config_txt:\n"
        "      arm_freq: 1500\n"
        "      \"[pi400]\":\n"
        "        arm_freq: 1800\n"
        "        dtoverlay: [a, b]\n"
        "        \"[0x5b154510]\": {over_voltage: 6}\n"
        "        gpu_mem: 16\n"
        "      include: [lab.txt, more.txt]\n"
        "      \"[none]\":\n"
    );
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    EXPECT_EQ(
        result.fleet->profiles[0].config_txt,
        (std::vector<fleet::ConfigEntry>{
            {"arm_freq", "1500"},
            {"[pi400]", ""},
            {"arm_freq", "1800"},
            {"dtoverlay", "a"},
            {"dtoverlay", "b"},
            {"[0x5b154510]", ""},
            {"over_voltage", "6"},
            {"[all]", ""},
            {"[pi400]", ""},
            {"gpu_mem", "16"},
            {"[all]", ""},
            {"include", "lab.txt"},
            {"include", "more.txt"},
            {"[none]", ""},
            {"[all]", ""}})
    );
}

TEST(BoardKeysTest, WhatIsRefused) {
    const std::vector<Case> cases = {
        {"name: pi_01",
         "12",
         "'pi_01' is not a host name (letters, digits and '-', up to 63, like pi-01)"},
        {"name: -a",
         "12",
         "'-a' is not a host name (letters, digits and '-', up to 63, like pi-01)"},
        {"name: a, mac: 00-11",
         "20",
         "'00-11' is not a MAC address (write it like dc:a6:32:01:02:03)"},
        {"name: a, mac: \"01:00:5e:00:00:01\"",
         "20",
         "'01:00:5e:00:00:01' is a multicast address, no board has it as its own"},
        {"name: a, tftp_prefix: rack",
         "28",
         "'rack' is not a TFTP prefix (known: serial, mac, or TFTP_PREFIX_STR as the EEPROM has "
         "it: "
         "up to 32 characters that end with '/')"},
        {"name: a, tftp_prefix: ../",
         "28",
         "'../' is not a TFTP prefix (known: serial, mac, or TFTP_PREFIX_STR as the EEPROM has it: "
         "up to 32 characters that end with '/')"},
        {"name: a, adress: 172.16.1.9",
         "15",
         "unknown key 'adress' in a board (did you mean 'address'?)"},
        {"name: a, colour: red",
         "15",
         "unknown key 'colour' in a board (known: name, serial, mac, address, profile, model, "
         "cmdline, "
         "config_txt, tftp_prefix, group)"},
        {"serial: 00000002", "5", "a board needs the key 'name'"},
    };
    for (const Case& one : cases) {
        const bool has_serial = std::string_view(one.value).starts_with("serial");
        const std::string text = good_fleet + "  - {" + one.value +
                                 (has_serial ? "" : ", serial: 00000001") +
                                 ", profile: lab, address: 172.16.1.2}\n";
        EXPECT_EQ(message(text, std::string("11:") + one.column), one.message) << one.value;
    }
}

TEST(BoardKeysTest, TftpPrefixes) {
    const auto result = load_text(
        good_fleet +
        "  - {name: a, serial: 00000001, profile: lab, address: 172.16.1.2, tftp_prefix: "
        "racks/upper/}\n"
        "  - {name: b, mac: \"dc:a6:32:00:00:02\", profile: lab, address: 172.16.1.3, tftp_prefix: "
        "mac}\n"
    );
    ASSERT_TRUE(result.fleet) << render(result.diagnostics);
    EXPECT_EQ(
        std::get<fleet::StringPrefix>(result.fleet->boards[0].tftp_prefix).text, "racks/upper/"
    );
    EXPECT_TRUE(std::holds_alternative<fleet::MacPrefix>(result.fleet->boards[1].tftp_prefix));
}

}  // namespace
}  // namespace bramble::yaml
