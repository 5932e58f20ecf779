// A copy of a base root becomes one board's own.
#include "provisioning/root/identity.hpp"

#include <gmock/gmock.h>

#include "provisioning/host/memory_host.hpp"

namespace bramble::root {
namespace {

Result<void> write_identity(
    host::Host& host, const host::Path& root, const host::Path& kept, const Identity& identity
) {
    DirectoryTree tree(host, root);
    return apply_identity(host, tree, kept, identity);
}

using testing::HasSubstr;
using testing::Not;

const host::Path kept = "/store/boards/pi-01/identity";

class IdentityTest : public testing::Test {
protected:
    IdentityTest() {
        identity_.hostname = "pi-01";
        identity_.address = Ipv4Address::parse("172.16.1.3").value();
        identity_.server = Ipv4Address::parse("172.16.1.1").value();
        identity_.root = {"/store/boards/pi-01/root", "172.16.1.1", "3", false};
        identity_.up_url = "http://172.16.1.1:8081/v1/boards/pi-01/up";
        identity_.mac = MacAddress::parse("dc:a6:32:01:02:03").value();
        identity_.dns = {Ipv4Address::parse("172.16.1.1").value()};
        host_.script("ssh-keygen", [this](host::MemoryHost& host, const host::Command& command) {
            ++keys_made_;
            host.put_file(command.argv.back(), "secret " + std::to_string(keys_made_));
            host.put_file(command.argv.back() + ".pub", "public " + std::to_string(keys_made_));
            return Result<host::CommandOutcome>(host::CommandOutcome{});
        });
        make_base(root_);
    }

    void make_base(const host::Path& root) {
        host_.put_file(
            root / "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 builder\n10.0.0.9 nas\n"
        );
        host_.put_file(root / "etc/machine-id", "the image's\n");
        host_.put_file(root / "var/lib/dbus/machine-id", "the image's\n");
        host_.put_file(root / "etc/ssh/ssh_host_rsa_key", "the image's");
        host_.put_file(root / "etc/ssh/ssh_host_rsa_key.pub", "the image's");
        host_.put_file(root / "etc/ssh/sshd_config", "Port 22\n");
        host_.put_file(
            root / "etc/fstab",
            "proc /proc proc defaults 0 0\nPARTUUID=1-01 /boot vfat defaults 0 2\n"
            "PARTUUID=1-02  /  ext4 defaults 0 1\n/var/swap none swap sw 0 0\nnas:/d /d nfs ro 0 "
            "0\n"
        );
        host_.put_file(root / "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        host_.put_file(root / "etc/shadow", "root:*:19000:0:99999:7:::\n");
        host_.put_file(root / "etc/group", "root:x:0:\nsudo:x:27:\n");
        host_.put_file(root / "etc/skel/.bashrc", "PS1=1\n");
        host_.put_file(root / "bin/bash", "elf");
    }

    void apply(const host::Path& root) {
        const auto done = write_identity(host_, root, kept, identity_);
        ASSERT_TRUE(done) << done.error().message;
    }

    std::string text(const std::string& relative) { return host_.text_at(root_ / relative); }

    host::MemoryHost host_;
    host::Path root_ = "/store/boards/pi-01/root";
    Identity identity_;
    int keys_made_ = 0;
};

TEST_F(IdentityTest, NamesAreTheBoardsAndOthersStay) {
    apply(root_);
    EXPECT_EQ(text("etc/hostname"), "pi-01\n");
    EXPECT_EQ(
        text("etc/hosts"),
        "127.0.0.1 localhost\n127.0.1.1 pi-01\n10.0.0.9 nas\n"
        "::1 localhost ip6-localhost ip6-loopback\n"
    );
    EXPECT_EQ(text("etc/resolv.conf"), "nameserver 172.16.1.1\n");
}

TEST_F(IdentityTest, MachineIdIsARandomUuidAndKept) {
    apply(root_);
    const std::string id = text("etc/machine-id");
    EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]+\n"));
    ASSERT_EQ(id.size(), 33U);
    EXPECT_EQ(id[12], '4');  // RFC 4122 section 4.1.3
    EXPECT_THAT(std::string("89ab"), HasSubstr(std::string(1, id[16])));
    EXPECT_EQ(text("var/lib/dbus/machine-id"), id);

    const host::Path again = "/store/boards/pi-01/root.new";
    make_base(again);
    apply(again);
    EXPECT_EQ(host_.text_at(again / "etc/machine-id"), id);
}

TEST_F(IdentityTest, HostKeysAreTheBoardsOwnAndOutliveItsRoot) {
    apply(root_);
    EXPECT_EQ(keys_made_, 2);
    EXPECT_EQ(text("etc/ssh/ssh_host_ed25519_key"), "secret 1");
    EXPECT_EQ(text("etc/ssh/ssh_host_ecdsa_key.pub"), "public 2");
    EXPECT_FALSE(host_.exists(root_ / "etc/ssh/ssh_host_rsa_key"));  // every board would have it
    EXPECT_FALSE(host_.exists(root_ / "etc/ssh/ssh_host_rsa_key.pub"));
    EXPECT_EQ(host_.status(root_ / "etc/ssh/ssh_host_ed25519_key").value()->mode, 0600U);

    const host::Path again = "/store/boards/pi-01/root.new";
    make_base(again);
    apply(again);
    EXPECT_EQ(keys_made_, 2);
    EXPECT_EQ(host_.text_at(again / "etc/ssh/ssh_host_ed25519_key"), "secret 1");
}

TEST_F(IdentityTest, ARootWithoutSshServerGetsNoKeys) {
    const host::Path bare = "/store/boards/pi-01/bare";
    host_.put_file(bare / "etc/fstab", "");
    apply(bare);
    EXPECT_EQ(keys_made_, 0);
}

TEST_F(IdentityTest, FstabForgetsTheCard) {
    apply(root_);
    EXPECT_EQ(
        text("etc/fstab"),
        "# Bramble: / is 172.16.1.1:/store/boards/pi-01/root (NFS 3), mounted before init runs.\n"
        "proc /proc proc defaults 0 0\nnas:/d /d nfs ro 0 0\n"
    );
}

TEST_F(IdentityTest, TheUnitThatReportsIsEnabledWithoutRunningTheRoot) {
    host_.put_file(root_ / "lib/systemd/system/regenerate_ssh_host_keys.service", "[Unit]\n");
    apply(root_);
    EXPECT_THAT(
        text("usr/local/lib/bramble/report-up"),
        HasSubstr("url='http://172.16.1.1:8081/v1/boards/pi-01/up'\n")
    );
    EXPECT_THAT(
        text("etc/systemd/system/multi-user.target.wants/bramble-up.service"),
        HasSubstr("ExecStart=/bin/sh /usr/local/lib/bramble/report-up\n")
    );
    EXPECT_EQ(
        host_.read_link(root_ / "etc/systemd/system/regenerate_ssh_host_keys.service").value(),
        "/dev/null"
    );
    EXPECT_FALSE(host_.exists(root_ / "etc/systemd/system/dphys-swapfile.service"));
}

TEST_F(IdentityTest, UsersComeWithHomeKeysAndRights) {
    fleet::User lab;
    lab.name = "lab";
    lab.authorized_keys = {"ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"};
    lab.sudo = true;
    identity_.users = {lab};
    apply(root_);
    EXPECT_THAT(text("etc/passwd"), HasSubstr("lab:x:1000:1000::/home/lab:/bin/bash\n"));
    EXPECT_EQ(
        text("home/lab/.ssh/authorized_keys"), "ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n"
    );
    EXPECT_EQ(text("home/lab/.bashrc"), "PS1=1\n");
    EXPECT_EQ(text("etc/sudoers.d/bramble-lab"), "lab ALL=(ALL:ALL) NOPASSWD: ALL\n");
    const auto keys = host_.status(root_ / "home/lab/.ssh/authorized_keys").value();
    EXPECT_EQ(keys->mode, 0600U);
    EXPECT_EQ(keys->uid, 1000U);
    EXPECT_EQ(host_.status(root_ / "etc/shadow").value()->mode, 0640U);
}

// A board may have put any link anywhere in its root.
TEST_F(IdentityTest, ALinkInTheRootLeadsNowhereOutside) {
    host_.put_file("/etc/hostname", "server\n");
    host_.put_symlink(root_ / "etc/hostname", "/etc/hostname");
    host_.put_symlink(root_ / "etc/hosts", "../../../../../etc/hosts");
    apply(root_);
    EXPECT_EQ(host_.text_at("/etc/hostname"), "server\n");
    EXPECT_FALSE(host_.exists("/etc/hosts"));
    EXPECT_EQ(text("etc/hostname"), "pi-01\n");
}

TEST_F(IdentityTest, TwiceIsOnce) {
    fleet::User lab;
    lab.name = "lab";
    identity_.users = {lab};
    apply(root_);
    const auto paths = host_.tree(root_);
    const std::string hosts = text("etc/hosts");
    const std::string fstab = text("etc/fstab");
    apply(root_);
    EXPECT_EQ(host_.tree(root_), paths);
    EXPECT_EQ(text("etc/hosts"), hosts);
    EXPECT_EQ(text("etc/fstab"), fstab);
}

// Whatever call fails, the error names the board, and the next attempt succeeds with whole keys.
TEST_F(IdentityTest, EachFailingCallIsSurvived) {
    for (std::size_t n = 0; n < 400; ++n) {
        host_.fail_call(n, host::MemoryHost::Fault::once);
        const auto done = write_identity(host_, root_, kept, identity_);
        const bool reached = host_.calls() > n;
        if (!done) {
            EXPECT_THAT(done.error().message, HasSubstr("identity of board pi-01: "));
        }
        host_.fail_call(1'000'000, host::MemoryHost::Fault::once);
        apply(root_);
        EXPECT_THAT(text("etc/ssh/ssh_host_ecdsa_key"), HasSubstr("secret "));
        if (!reached) return;
        if (n % 3 == 0) {
            ASSERT_TRUE(host_.remove_all(kept));
        }
    }
    FAIL() << "more calls than expected";
}

TEST_F(IdentityTest, AnAddressThatWouldBreakTheScriptIsRefused) {
    identity_.up_url = "http://x/';rm -rf /;'";
    EXPECT_THAT(
        write_identity(host_, root_, kept, identity_).error().message,
        HasSubstr("no http:// address")
    );
}

TEST_F(IdentityTest, EveryPartCountsInTheKey) {
    const Digest key = identity_key(identity_);
    EXPECT_EQ(identity_key(identity_), key);
    Identity other = identity_;
    other.hostname = "pi-02";
    EXPECT_NE(identity_key(other), key);
    other = identity_;
    other.dns.clear();
    EXPECT_NE(identity_key(other), key);
    other = identity_;
    other.users.emplace_back().name = "lab";
    const Digest with_user = identity_key(other);
    EXPECT_NE(with_user, key);
    other.users.back().authorized_keys = {"ssh-ed25519 AAAA"};
    EXPECT_NE(identity_key(other), with_user);
}

}  // namespace
}  // namespace bramble::root
