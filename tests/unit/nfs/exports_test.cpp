// Which server serves the roots, and how it learns of them.
#include "provisioning/nfs/exports.hpp"

#include <gmock/gmock.h>

#include "provisioning/host/memory_host.hpp"

namespace bramble::nfs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExportsTest : public testing::Test {
protected:
    ExportsTest() {
        appliance_.address = Ipv4Network::parse("172.16.1.1/24").value();
        ExportedRoot root;
        root.board = "pi-01";
        root.path = "/store/boards/pi-01/root";
        root.client = Ipv4Address::parse("172.16.1.3").value();
        roots_ = {root};
    }

    void have(const std::string& program) {
        host_.script(program, [this, program](host::MemoryHost&, const host::Command& command) {
            std::string line;
            for (const std::string& word : command.argv) line += (line.empty() ? "" : " ") + word;
            commands_.push_back(line);
            return Result<host::CommandOutcome>(host::CommandOutcome{});
        });
    }

    void have_kernel_server() {
        have("exportfs");
        host_.put_file("/proc/filesystems", "nodev\tsysfs\nnodev\tnfsd\n");
    }

    void ganesha_runs() {
        host_.put_file("/store/nfs/ganesha.pid", "4711\n");
        host_.put_file("/proc/4711/comm", "ganesha.nfsd\n");
        host_.put_symlink("/proc/4711/ns/net", "net:[1]");
        host_.put_symlink("/proc/self/ns/net", "net:[1]");
    }

    Result<std::vector<std::string>> publish() {
        return publish_exports(
            host_,
            layout::StorePaths("/store"),
            appliance_,
            roots_,
            [this](
                Ipv4Address address, std::span<const ExportedRoot> roots, std::uint16_t port, auto
            ) {
                verified_.push_back(
                    address.to_string() + ":" + std::to_string(port) + " " +
                    std::to_string(roots.size())
                );
                return verdict_;
            }
        );
    }

    host::MemoryHost host_;
    fleet::Appliance appliance_;
    std::vector<ExportedRoot> roots_;
    std::vector<std::string> commands_;
    std::vector<std::string> verified_;
    Result<void> verdict_;
};

TEST_F(ExportsTest, TheKernelsServerWinsWhereThereIsOne) {
    have_kernel_server();
    have("ganesha.nfsd");
    EXPECT_EQ(choose_server(host_, fleet::NfsAuto{}).value(), Server::kernel);
    EXPECT_EQ(choose_server(host_, fleet::NfsGanesha{}).value(), Server::ganesha);
    EXPECT_EQ(choose_server(host_, fleet::NfsExternal{"nas", "/x"}).value(), Server::external);
}

TEST_F(ExportsTest, AModuleThatCanBeLoadedCounts) {
    have("exportfs");
    have("modprobe");
    EXPECT_EQ(choose_server(host_, fleet::NfsAuto{}).value(), Server::kernel);
    EXPECT_THAT(commands_, ElementsAre("modprobe --dry-run --quiet nfsd"));
}

TEST_F(ExportsTest, GaneshaWhereTheKernelHasNone) {
    have("exportfs");
    have("ganesha.nfsd");
    EXPECT_EQ(choose_server(host_, fleet::NfsAuto{}).value(), Server::ganesha);
}

TEST_F(ExportsTest, WhatIsMissingIsNamedByPackage) {
    EXPECT_THAT(
        choose_server(host_, fleet::NfsAuto{}).error().message,
        HasSubstr("install nfs-kernel-server, or nfs-ganesha with nfs-ganesha-vfs and rpcbind")
    );
    EXPECT_THAT(
        choose_server(host_, fleet::NfsKernel{}).error().message,
        HasSubstr("install nfs-kernel-server")
    );
    EXPECT_THAT(
        choose_server(host_, fleet::NfsGanesha{}).error().message, HasSubstr("nfs-ganesha-vfs")
    );
    have("exportfs");
    EXPECT_THAT(
        choose_server(host_, fleet::NfsKernel{}).error().message, HasSubstr("no nfsd: use backend")
    );
    EXPECT_FALSE(publish());
    roots_.clear();
    EXPECT_TRUE(publish());  // boards with boot files only need no server
}

TEST_F(ExportsTest, TheKernelsServerReadsItsFileAgainOnlyWhenItChanged) {
    have_kernel_server();
    host_.put_file("/proc/fs/nfsd/threads", "8\n");
    EXPECT_THAT(publish().value(), IsEmpty());
    EXPECT_THAT(
        host_.text_at("/etc/exports.d/bramble.exports"),
        HasSubstr("\n\"/store/boards/pi-01/root\" 172.16.1.3(rw,")
    );
    EXPECT_THAT(publish().value(), IsEmpty());
    EXPECT_THAT(commands_, ElementsAre("exportfs -r"));
    EXPECT_THAT(verified_, ElementsAre("172.16.1.1:0 1", "172.16.1.1:0 1"));
}

TEST_F(ExportsTest, AKernelServerThatDoesNotRunIsAWarning) {
    have_kernel_server();
    host_.put_file("/proc/fs/nfsd/threads", "0\n");
    EXPECT_THAT(publish().value(), ElementsAre(HasSubstr("systemctl enable --now nfs-server")));
    EXPECT_THAT(verified_, IsEmpty());
}

TEST_F(ExportsTest, ARunningGaneshaIsToldAndLookedAt) {
    have("ganesha.nfsd");
    have("rpcbind");
    have("sh");
    ganesha_runs();
    EXPECT_THAT(publish().value(), IsEmpty());
    EXPECT_THAT(host_.text_at("/store/nfs/ganesha.conf"), HasSubstr("Clients = 172.16.1.3;"));
    EXPECT_EQ(host_.text_at("/store/nfs/export-numbers"), "2 next\n1 /store/boards/pi-01/root\n");
    EXPECT_THAT(commands_, ElementsAre("sh -c kill -HUP \"$0\" 4711"));
    EXPECT_THAT(verified_, ElementsAre("172.16.1.1:20048 1"));
    EXPECT_TRUE(publish());
    EXPECT_EQ(commands_.size(), 1U);  // nothing changed
    verdict_ = fail("no /store/boards/pi-01/root");
    EXPECT_EQ(publish().error().message, "no /store/boards/pi-01/root");
}

TEST_F(ExportsTest, AnotherProcessOfThatNumberIsNotSignalled) {
    have("ganesha.nfsd");
    have("rpcbind");
    host_.put_file("/store/nfs/ganesha.pid", "4711\n");
    host_.put_file("/proc/4711/comm", "sshd\n");
    EXPECT_THAT(publish().value(), IsEmpty());
    EXPECT_THAT(commands_, IsEmpty());
    host_.put_file("/store/nfs/ganesha.pid", "4711; reboot\n");
    EXPECT_THAT(publish().value(), IsEmpty());
    EXPECT_THAT(verified_, IsEmpty());
}

TEST_F(ExportsTest, AGaneshaInAnotherNetworkNamespaceIsNotVerified) {
    have("ganesha.nfsd");
    have("rpcbind");
    have("sh");
    ganesha_runs();
    ASSERT_TRUE(host_.replace_symlink("net:[2]", "/proc/4711/ns/net"));
    EXPECT_THAT(publish().value(), ElementsAre(HasSubstr("another network namespace")));
    EXPECT_THAT(verified_, IsEmpty());
}

TEST_F(ExportsTest, ChangingToGaneshaWithdrawsWhatTheKernelWasTold) {
    have_kernel_server();
    ASSERT_TRUE(publish());
    have("ganesha.nfsd");
    have("rpcbind");
    appliance_.nfs = fleet::NfsGanesha{};
    ASSERT_TRUE(publish());
    EXPECT_FALSE(host_.exists("/etc/exports.d/bramble.exports"));
    EXPECT_THAT(commands_, ElementsAre("exportfs -r", "exportfs -r"));
}

TEST_F(ExportsTest, DamagedNumbersAreToldWithTheRemedy) {
    have("ganesha.nfsd");
    have("rpcbind");
    host_.put_file("/store/nfs/export-numbers", "garbage\n");
    EXPECT_EQ(
        publish().error().message,
        "/store/nfs/export-numbers: 'garbage' is no export number and path; remove it and apply "
        "again (boards that run then need a restart)"
    );
}

}  // namespace
}  // namespace bramble::nfs
