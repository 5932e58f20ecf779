// What `customize:` runs inside a root, in which order, and what an operator is told when it fails.
#include "provisioning/image/customize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/host/memory_host.hpp"
#include "provisioning/image/inside.hpp"

namespace bramble::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The first twenty bytes of a program, elf(5).
std::string program(char bits_class, char machine) {
    std::string header(20, '\0');
    header.replace(
        0,
        4,
        "\x7f"
        "ELF"
    );
    header[4] = bits_class;
    header[18] = machine;
    return header;
}

class Customize : public testing::Test {
protected:
    Customize() {
        fleet.sources.push_back({"lab.yaml", ""});
        image.name = "lite";
        image.customize.where = {0, 5, 7};
        machine.put_file("/root/bin/sh", program(2, '\xb7'), 0755);
        machine.put_file("/root/usr/bin/apt-get", "ELF", 0755);
        machine.put_file("/root/usr/bin/dpkg", "ELF", 0755);
        machine.put_file("/root/usr/bin/systemctl", "ELF", 0755);
        machine.put_file("/root/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        machine.put_file("/root/etc/shadow", "root:*:18000:0:99999:7:::\n", 0640);
        machine.put_file("/root/etc/group", "root:x:0:\nvideo:x:44:\n");
        machine.put_directory("/staging");
        machine.put_file("/etc/resolv.conf", "nameserver 10.0.0.1\n");
        for (const char* there : {"arch-test", "unshare"}) machine.script(there, {});
        machine.script("sh", [this](host::MemoryHost& host, const host::Command& command) {
            std::string words;
            for (std::size_t i = 8; i < command.argv.size(); ++i)
                words += (words.empty() ? "" : " ") + command.argv[i];
            commands.push_back(words);
            architecture = command.argv.at(2);
            EXPECT_EQ(host.text_at("/root/etc/resolv.conf"), "nameserver 10.0.0.1\n");
            EXPECT_EQ(host.text_at("/root/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n");
            EXPECT_EQ(command.limit, Inside::command_limit);
            if (!say.empty() && words.find(failing) != std::string::npos) {
                for (const std::string& line : say) command.on_line(line);
                return Result<host::CommandOutcome>(host::CommandOutcome{100, "", ""});
            }
            return Result<host::CommandOutcome>(host::CommandOutcome{});
        });
    }

    Result<void> customize() {
        const Workshop workshop{machine, "/staging", "/logs/lite.log", "/downloads", {}, {}};
        return image::customize(fleet, image, "/root", workshop);
    }

    host::MemoryHost machine;
    fleet::Fleet fleet;
    fleet::Image image;
    std::vector<std::string> commands;
    std::string architecture;
    std::string failing;
    std::vector<std::string> say;
};

TEST_F(Customize, EverythingHasItsTurnAndNothingIsLeftBehind) {
    fleet::Customization& wanted = image.customize;
    wanted.remove = {{"nano", {0, 6, 1}}};
    wanted.packages = {{"fio", {0, 7, 1}}, {"jq", {0, 7, 6}}};
    wanted.files["/opt/a"].content = "text";
    wanted.files["/opt/a"].owner = "lab:video";
    wanted.users = {{"lab", std::nullopt, {"ssh-ed25519 AAAA"}, false, {"video"}}};
    wanted.enable = {{"ssh", {}}};
    wanted.disable = {{"cron", {}}};
    wanted.run = {{"echo one\necho two", {}}};
    const auto before = machine.tree("/root");
    const auto done = customize();
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_EQ(commands.size(), 6U);
    EXPECT_THAT(commands[0], testing::EndsWith("purge -- nano"));
    EXPECT_THAT(commands[1], testing::EndsWith("update"));
    EXPECT_THAT(commands[2], testing::EndsWith("install -- fio jq"));
    EXPECT_EQ(commands[3], "systemctl enable -- ssh");
    EXPECT_EQ(commands[4], "systemctl disable -- cron");
    EXPECT_EQ(commands[5], "/bin/sh -e -c echo one\necho two");
    EXPECT_EQ(architecture, "arm64");
    EXPECT_EQ(machine.text_at("/root/opt/a"), "text");
    const auto status = machine.status("/root/opt/a").value().value();
    EXPECT_EQ(std::pair(status.uid, status.gid), std::pair(uid_t{1000}, gid_t{44}));
    EXPECT_THAT(machine.text_at("/root/etc/group"), HasSubstr("video:x:44:lab\n"));
    EXPECT_EQ(machine.text_at("/root/home/lab/.ssh/authorized_keys"), "ssh-ed25519 AAAA\n");
    EXPECT_FALSE(machine.exists("/root/etc/resolv.conf"));
    EXPECT_FALSE(machine.exists("/root/usr/sbin/policy-rc.d"));
    EXPECT_EQ(machine.tree("/staging").size(), 1U);
}

TEST_F(Customize, WhatStoodInThePlaceOfOursComesBack) {
    machine.put_symlink("/root/etc/resolv.conf", "../run/resolv.conf");
    machine.put_file("/root/usr/sbin/policy-rc.d", "theirs", 0700);
    image.customize.run = {{"true", {}}};
    ASSERT_TRUE(customize());
    EXPECT_EQ(machine.read_link("/root/etc/resolv.conf").value(), "../run/resolv.conf");
    EXPECT_EQ(machine.text_at("/root/usr/sbin/policy-rc.d"), "theirs");
    EXPECT_EQ(machine.status("/root/usr/sbin/policy-rc.d").value()->mode, 0700U);
}

TEST_F(Customize, FilesAndUsersNeedNothingToRun) {
    machine.put_file("/root/bin/sh", "not a program");
    image.customize.files["/etc/motd"].content = "welcome";
    ASSERT_TRUE(customize());
    EXPECT_TRUE(commands.empty());
    image.customize.run = {{"true", {}}};
    machine.put_file("/root/usr/bin/dpkg", "neither");
    EXPECT_EQ(
        customize().error().message,
        "lab.yaml:5:7: image 'lite': customize: its root has no program that this version can run: "
        "is there a /bin/sh?"
    );
}

TEST_F(Customize, AFailureNamesThePackagesLineAndQuotesTheOutput) {
    image.customize.packages = {{"fio", {0, 7, 18}}, {"jqq", {0, 8, 18}}};
    failing = "install";
    say = {"Reading package lists...", "E: Unable to locate package jqq"};
    EXPECT_EQ(
        customize().error().message,
        "lab.yaml:8:18: image 'lite': installing packages: ended with exit code 100:\n"
        "E: Unable to locate package jqq\n"
        "(all of its output: /logs/lite.log)"
    );
}

TEST_F(Customize, AFailingCommandIsNamedByItsFirstLine) {
    image.customize.run = {{"true", {0, 9, 9}}, {"make -C /usr/src\nmake install", {0, 10, 9}}};
    failing = "make";
    say = {"cc -c a.c", "a.c:3: error: no", "make: *** [a.o] Error 1"};
    EXPECT_EQ(
        customize().error().message,
        "lab.yaml:10:9: image 'lite': run make -C /usr/src…: ended with exit code 100:\n"
        "a.c:3: error: no\nmake: *** [a.o] Error 1\n"
        "(all of its output: /logs/lite.log)"
    );
}

TEST_F(Customize, AFloodIsEnded) {
    image.customize.run = {{"yes", {0, 9, 9}}};
    failing = "yes";
    say.assign(Inside::output_bytes_max / 4096 + 1, std::string(4096, 'y'));
    EXPECT_THAT(customize().error().message, HasSubstr("run yes: printed more than 64 MiB: ended"));
}

TEST_F(Customize, TheKeySeesEverySettingAndTheFilesBytes) {
    const Digest base = Digest::of("base");
    machine.put_file("/lab/motd", "one");
    fleet::Customization& wanted = image.customize;
    std::set<Digest> keys;
    const auto take = [&] {
        EXPECT_TRUE(keys.insert(*customized_key(image, base, machine)).second);
    };
    wanted.packages = {{"a", {}}, {"b", {}}};
    take();
    wanted.packages = {{"b", {0, 1, 1}}, {"a", {}}};  // their order and place mean nothing
    EXPECT_TRUE(keys.contains(*customized_key(image, base, machine)));
    wanted.remove = {{"a", {}}};
    take();
    wanted.files["/etc/motd"].source = "/lab/motd";
    take();
    machine.put_file("/lab/motd", "two");
    take();
    machine.put_file("/lab/motd", "two", 0755);
    take();
    wanted.files["/etc/motd"].owner = "lab";
    take();
    wanted.users = {{"lab", std::nullopt, {}, false, {}}};
    take();
    wanted.users[0].groups = {"video"};
    take();
    wanted.run = {{"a", {}}, {"b", {}}};
    take();
    wanted.run = {{"b", {}}, {"a", {}}};
    take();
    EXPECT_NE(
        *customized_key(image, Digest::of("other"), machine), *customized_key(image, base, machine)
    );
    wanted.files["/etc/motd"].source = "/lab/none";
    EXPECT_THAT(
        customized_key(image, base, machine).error().message,
        HasSubstr("image 'lite': files: /etc/motd: ")
    );
}

TEST(ProcessorOf, IsToldByTheHeaderAlone) {
    EXPECT_EQ(processor_of(program(2, '\xb7'))->architecture, "arm64");
    EXPECT_EQ(processor_of(program(1, '\x28'))->emulator, "arm");
    EXPECT_EQ(processor_of(program(2, '\x3e'))->architecture, "amd64");
    EXPECT_FALSE(processor_of(program(1, '\xb7')));
    for (std::size_t size = 0; size < 20; ++size)
        EXPECT_FALSE(processor_of(program(2, '\xb7').substr(0, size))) << size;
}

TEST(FromFailingLine, BeginsWhereAnErrorIsSpokenOfElseNearTheEnd) {
    std::vector<std::string> lines(40, "fine");
    lines.emplace_back("last");
    const std::string end = from_failing_line(lines);
    EXPECT_EQ(std::count(end.begin(), end.end(), '\n'), 11);
    EXPECT_TRUE(end.ends_with("last"));
    lines[5] = "dpkg: error processing package";
    EXPECT_TRUE(from_failing_line(lines).starts_with("dpkg: error"));
    EXPECT_EQ(from_failing_line({}), "");
}

}  // namespace
}  // namespace bramble::image
