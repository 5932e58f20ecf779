// What NFS servers read, to the byte (lab facts, section 2).
#include "provisioning/nfs/export_text.hpp"

#include <gmock/gmock.h>

namespace bramble::nfs {
namespace {

using testing::HasSubstr;
using testing::Not;

const Ipv4Network boards = Ipv4Network::parse("172.16.1.1/24").value();

ExportedRoot root(const std::string& board, const std::string& address = "") {
    ExportedRoot exported;
    exported.board = board;
    exported.path = "/store/boards/" + board + "/root";
    if (!address.empty()) exported.client = Ipv4Address::parse(address).value();
    return exported;
}

ExportIds ids_for(const std::vector<ExportedRoot>& roots) {
    return ExportIds().with(roots).value();
}

Result<std::string> configure(const std::vector<ExportedRoot>& roots, bool nfs_v3 = true) {
    return ganesha_configuration({boards, nfs_v3, "/store/nfs/recovery"}, roots, ids_for(roots));
}

TEST(GaneshaConfiguration, OneBoard) {
    EXPECT_EQ(
        configure({root("pi-01", "172.16.1.3")}).value(),
        R"(# Written by Bramble; 'bramble apply' replaces it.
NFS_CORE_PARAM {
    Protocols = 3, 4;
    Bind_addr = 172.16.1.1;
    NFS_Port = 2049;
    MNT_Port = 20048;
    Enable_NLM = false;
    Enable_RQUOTA = false;
}
NFSv4 {
    Minor_Versions = 0, 1, 2;
    RecoveryBackend = fs;
    RecoveryRoot = "/store/nfs/recovery";
    Lease_Lifetime = 15;
    Grace_Period = 20;
    Only_Numeric_Owners = true;
}
EXPORT {
    Export_Id = 1;
    Path = "/store/boards/pi-01/root";
    Pseudo = "/store/boards/pi-01/root";
    Protocols = 3, 4;
    Transports = TCP;
    SecType = sys;
    Squash = No_Root_Squash;
    PrivilegedPort = true;
    Access_Type = None;
    FSAL { Name = VFS; }
    CLIENT { Clients = 172.16.1.3; Access_Type = RW; }
    CLIENT { Clients = 172.16.1.1; Access_Type = RO; }
}
)"
    );
}

TEST(GaneshaConfiguration, ASharedRootIsOneExportWithItsBoards) {
    ExportedRoot first = root("shared", "172.16.1.3");
    ExportedRoot second = root("shared", "172.16.1.4");
    first.read_only = second.read_only = true;
    const std::string text = configure({first, second}).value();
    EXPECT_THAT(
        text,
        HasSubstr("    CLIENT { Clients = 172.16.1.3; Access_Type = RO; }\n"
                  "    CLIENT { Clients = 172.16.1.4; Access_Type = RO; }\n")
    );
    EXPECT_EQ(text.find("EXPORT {", text.find("EXPORT {") + 1), std::string::npos);
}

TEST(GaneshaConfiguration, ABoardWithoutAddressIsServedInItsNetworkOnly) {
    EXPECT_THAT(
        configure({root("pi-01")}).value(),
        HasSubstr("    CLIENT { Clients = 172.16.1.0/24; Access_Type = RW; }\n")
    );
}

TEST(GaneshaConfiguration, DoesNotDependOnTheOrderOfTheBoards) {
    const std::vector<ExportedRoot> one = {root("a", "172.16.1.3"), root("b", "172.16.1.4")};
    const std::vector<ExportedRoot> other = {one[1], one[0]};
    const GaneshaSettings settings{boards, true, "/store/nfs/recovery"};
    EXPECT_EQ(
        ganesha_configuration(settings, one, ids_for(one)),
        ganesha_configuration(settings, other, ids_for(one))
    );
}

// NFSv3 registers with rpcbind at start, or Ganesha ends; version 4 alone needs nobody.
TEST(GaneshaConfiguration, Version3NeedsRpcbind) {
    ExportedRoot four = root("pi-01", "172.16.1.3");
    four.nfs_version = "4.2";
    const std::string text = configure({four}, false).value();
    EXPECT_THAT(text, HasSubstr("    Protocols = 4;\n    Bind_addr"));
    EXPECT_THAT(text, Not(HasSubstr("3, 4")));
    EXPECT_FALSE(wants_rpcbind(text));
    EXPECT_TRUE(wants_rpcbind(configure({four}).value()));
    EXPECT_THAT(
        configure({root("pi-01", "172.16.1.3")}, false).error().message,
        HasSubstr("install the package rpcbind")
    );
}

TEST(GaneshaConfiguration, TellsWhatItExports) {
    const std::string text = configure({root("a", "172.16.1.3"), root("b", "172.16.1.4")}).value();
    const auto roots = exported_roots(text);
    ASSERT_EQ(roots.size(), 2U);
    EXPECT_EQ(roots[0].path, "/store/boards/a/root");
    EXPECT_EQ(roots[1].path, "/store/boards/b/root");
    EXPECT_EQ(roots[1].nfs_version, "3");
    EXPECT_TRUE(exported_roots("").empty());
}

TEST(Exports, APathThatCannotStandInTheFileIsRefusedByName) {
    for (const char* path : {"relative", "/a\"b", "/a\\b", "/a\nb"}) {
        ExportedRoot bad = root("pi-01", "172.16.1.3");
        bad.path = path;
        EXPECT_THAT(configure({bad}).error().message, HasSubstr("the root of board pi-01")) << path;
        EXPECT_FALSE(kernel_exports(boards, std::vector{bad})) << path;
    }
}

TEST(KernelExports, OneLineForEachPathEachForItsBoard) {
    ExportedRoot b = root("b", "172.16.1.4");
    b.read_only = true;
    const auto text = kernel_exports(boards, std::vector{root("a", "172.16.1.3"), b});
    ASSERT_TRUE(text);
    const std::string options_of_a = "sync,no_subtree_check,no_root_squash,secure,fsid=" +
                                     text->substr(text->find("fsid=") + 5, 36);
    EXPECT_THAT(
        *text,
        testing::StartsWith(
            "# Written by Bramble; 'bramble apply' replaces it.\n\"/store/boards/a/root\" "
            "172.16.1.3(rw," +
            options_of_a + ") 172.16.1.1(ro," + options_of_a +
            ")\n\"/store/boards/b/root\" 172.16.1.4(ro,"
        )
    );
    EXPECT_EQ(kernel_exports(boards, std::vector{root("a", "172.16.1.3"), b}), text);
}

// A handle that a board holds carries the number: it must not move.
TEST(ExportIds, APathKeepsItsNumberAndNobodyInheritsOne) {
    const ExportIds first = ids_for({root("a"), root("b"), root("c")});
    EXPECT_EQ(
        first.to_text(),
        "4 next\n1 /store/boards/a/root\n2 /store/boards/b/root\n3 /store/boards/c/root\n"
    );
    const auto read = ExportIds::parse(first.to_text());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, first);
    const ExportIds second = read->with(std::vector{root("d"), root("c")}).value();
    EXPECT_EQ(second.to_text(), "5 next\n3 /store/boards/c/root\n4 /store/boards/d/root\n");
    EXPECT_EQ(
        second.with(std::vector{root("a"), root("c"), root("d")})->of("/store/boards/a/root"), 5
    );
}

TEST(ExportIds, NumbersStartOverAtTheEndAndRunOutThere) {
    ExportIds ids = ExportIds::parse("65535 next\n1 /a\n").value();
    ExportedRoot a = root("a");
    a.path = "/a";
    ids = ids.with(std::vector{a, root("x"), root("y")}).value();
    EXPECT_EQ(ids.of("/store/boards/x/root"), 65535);
    EXPECT_EQ(ids.of("/store/boards/y/root"), 2);
    std::vector<ExportedRoot> many;
    for (int i = 0; i <= ExportIds::id_max; ++i) many.push_back(root(std::to_string(i)));
    EXPECT_EQ(ExportIds().with(many).error().message, "more than 65535 roots to export");
}

TEST(ExportIds, OtherTextIsRefused) {
    for (const char* text : {"x", "0 /a\n", "1/a\n", "70000 /a\n", "1 /a\n1 /b\n", "1 /a\n2 /a\n"})
        EXPECT_FALSE(ExportIds::parse(text)) << text;
    EXPECT_EQ(ExportIds::parse("").value(), ExportIds());
}

}  // namespace
}  // namespace bramble::nfs
