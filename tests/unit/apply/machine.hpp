// A lab on a machine made of memory: a directory image, two boards, the programs that an apply
// runs. Refuses to touch the real machine.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/apply/apply.hpp"
#include "provisioning/host/memory_host.hpp"
#include "provisioning/store/store.hpp"

namespace bramble::apply {

inline fleet::Fleet small_fleet() {
    fleet::Fleet fleet;
    fleet.sources.push_back({"lab.yaml", "version: 1\n"});
    fleet.appliance.address = Ipv4Network::parse("172.16.1.1/24").value();
    fleet.appliance.store = "/var/lib/bramble";
    fleet.appliance.nfs = fleet::NfsGanesha{};
    fleet::Image image;
    image.name = "lite";
    image.source = fleet::DirectorySource{"/src/boot", "/src/root"};
    image.where = {0, 3, 1};
    fleet.images.push_back(image);
    fleet::Profile profile;
    profile.name = "lab";
    profile.image = "lite";
    profile.cmdline = {"console=tty1"};
    profile.where = {0, 5, 1};
    fleet.profiles.push_back(profile);
    for (const char* name : {"pi-01", "pi-02"}) {
        fleet::Board board;
        board.name = name;
        const std::string number(1, name[4]);
        board.serial = Serial::parse("5b15451" + number).value();
        board.mac = MacAddress::parse("dc:a6:32:00:00:0" + number).value();
        board.address = Ipv4Address::parse("172.16.1.1" + number).value();
        board.profile = "lab";
        board.where = {0, 10, 5};
        fleet.boards.push_back(board);
    }
    return fleet;
}

// The image's two directories, and stand-ins for ssh-keygen and Ganesha.
inline void furnish(host::MemoryHost& machine) {
    for (const char* name : {"start4.elf", "fixup4.dat", "kernel8.img"}) {
        machine.put_file(host::Path("/src/boot") / name, std::string("bytes of ") + name);
    }
    machine.put_file("/src/boot/config.txt", "arm_64bit=1\n");
    machine.put_file("/src/boot/cmdline.txt", "console=tty1 root=/dev/mmcblk0p2\n");
    machine.put_file("/src/root/etc/hostname", "raspberrypi\n");
    machine.put_file("/src/root/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    machine.put_file("/src/root/etc/shadow", "root:*:18000:0:99999:7:::\n", 0640);
    machine.put_file("/src/root/etc/group", "root:x:0:\n");
    machine.put_file("/src/root/usr/bin/true", "ELF", 0755);
    machine.put_file("/src/root/lib/modules/6.1.0-v8/modules.dep", "");
    for (const char* program : {"ganesha.nfsd", "rpcbind"}) {
        machine.script(program, [](host::MemoryHost&, const host::Command&) {
            return host::CommandOutcome{};
        });
    }
    machine.script("ssh-keygen", [](host::MemoryHost& host, const host::Command& command) {
        const std::string file = command.argv.back();
        const auto random = host.random_bytes(8);
        if (!random) return Result<host::CommandOutcome>(tl::unexpected(random.error()));
        host.put_file(file, "secret " + Digest::of(*random).to_string(), 0600);
        host.put_file(file + ".pub", "public\n");
        return Result<host::CommandOutcome>(host::CommandOutcome{});
    });
}

// The header of a static program, 64-bit little endian, with one program header to load.
inline std::string busybox() {
    using namespace std::string_literals;
    std::string bytes(64 + 56, '\0');
    bytes.replace(
        0,
        6,
        "\x7f"
        "ELF\x02\x01"s
    );
    bytes[32] = 64;  // e_phoff
    bytes[54] = 56;  // e_phentsize
    bytes[56] = 1;   // e_phnum
    bytes[64] = 1;   // PT_LOAD
    return bytes;
}

inline void furnish_shared(host::MemoryHost& machine) {
    furnish(machine);
    machine.put_file("/src/root/bin/busybox", busybox(), 0755);
    machine.put_file("/src/root/etc/ssh/ssh_host_rsa_key", "the image's", 0600);
    machine.put_file(
        "/src/root/lib/modules/6.1.0-v8/modules.builtin",
        "kernel/fs/nfs/nfs.ko\nkernel/fs/nfs/nfsv3.ko\nkernel/fs/nfs/nfsv4.ko\n"
        "kernel/fs/overlayfs/overlay.ko\nkernel/drivers/net/ethernet/broadcom/genet/genet.ko\n"
    );
}

// What the store lies on, and so how roots come from their base.
enum class Ground { copies, snapshots, overlays };

inline void put_on(host::MemoryHost& machine, Ground ground) {
    machine.filesystem = ground == Ground::snapshots ? "btrfs" : "ext4";
    if (ground == Ground::overlays) machine.no_overlay.clear();
}

using FaultOn = std::tuple<host::MemoryHost::Fault, Ground>;

inline auto every_fault_on_every_ground() {
    return testing::Combine(
        testing::Values(host::MemoryHost::Fault::once, host::MemoryHost::Fault::power_cut),
        testing::Values(Ground::copies, Ground::snapshots, Ground::overlays)
    );
}

inline std::string name_of_fault(const testing::TestParamInfo<FaultOn>& instance) {
    const auto& [fault, ground] = instance.param;
    const char* const grounds[] = {"Copies", "Snapshots", "Overlays"};
    return std::string(fault == host::MemoryHost::Fault::once ? "OneCall" : "PowerCut") + "On" +
           grounds[static_cast<int>(ground)];
}

inline constexpr std::string_view arm64_program(
    "\x7f"
    "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xb7\0",
    20
);

// A fleet whose image gets a package, and stand-ins for what runs inside its root.
inline void customize(host::MemoryHost& machine, fleet::Fleet& fleet) {
    machine.put_file("/src/root/bin/sh", arm64_program, 0755);
    machine.put_file("/src/root/usr/bin/apt-get", "ELF", 0755);
    machine.put_file("/src/root/usr/bin/dpkg", "ELF", 0755);
    machine.put_symlink("/src/root/etc/resolv.conf", "../run/resolv.conf");
    machine.put_file("/etc/resolv.conf", "nameserver 172.16.1.1\n");
    for (const char* program : {"arch-test", "unshare"}) machine.script(program, {});
    machine.script("sh", [](host::MemoryHost& host, const host::Command& command) {
        const auto& argv = command.argv;
        if (std::find(argv.begin(), argv.end(), "install") != argv.end())
            host.put_file(host::Path(argv.at(6)) / "usr/bin/fio", "ELF", 0755);
        return host::CommandOutcome{};
    });
    fleet.images[0].customize.packages = {{"fio", {}}};
    fleet.images[0].customize.files["/etc/motd"].content = "welcome\n";
}

class Apply : public testing::Test {
protected:
    Apply() { furnish(machine); }

    Result<Outcome> apply() {
        events.clear();
        Options options;
        options.on_event = [this](const Event& event) { events.push_back(render(event)); };
        return run(fleet, options, machine);
    }

    layout::Manifest current() { return store::Store(machine, paths).current().value().value(); }

    std::string root_of(const char* board, const std::string& path) {
        const auto manifest = current();
        return machine.text_at(manifest.find_board(board)->root->path / path);
    }

    host::MemoryHost machine;
    fleet::Fleet fleet = small_fleet();
    layout::StorePaths paths{"/var/lib/bramble"};
    std::vector<std::string> events;
};

}  // namespace bramble::apply
