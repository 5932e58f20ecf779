// The manifest that a fleet asks for.
#include "provisioning/plan/compose.hpp"

#include "lab.hpp"

namespace bramble::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;

class Compose : public Lab {
protected:
    Composition composed() { return compose(fleet, seen, store); }

    std::string text(const layout::BoardEntry& board, const char* path) {
        return std::get<layout::TextFile>(board.files.at(path)).text;
    }
};

TEST_F(Compose, ABoardsOwnTextsLieOverItsProfilesTree) {
    ingest();
    const Composition wanted = composed();
    EXPECT_THAT(wanted.problems, IsEmpty());
    EXPECT_THAT(
        wanted.manifest.trees.at("lab"),
        ElementsAre(Key("fixup4.dat"), Key("kernel8.img"), Key("start4.elf"))
    );
    const layout::BoardEntry& board = wanted.manifest.boards.at(0);
    const std::string base = root_name(key);
    EXPECT_EQ(
        text(board, "cmdline.txt"),
        "console=tty1 root=/dev/nfs nfsroot=172.16.1.1:/var/lib/bramble/boards/pi-01/root." + base +
            ",vers=3,tcp,rsize=131072,wsize=131072 rw ip=dhcp rootwait\n"
    );
    EXPECT_EQ(
        text(board, "config.txt"),
        "# Written by Bramble for pi-01: change the fleet file, not this.\narm_64bit=1\n"
    );
    EXPECT_EQ(board.root->path, "/var/lib/bramble/boards/pi-01/root." + base);
    EXPECT_EQ(board.root->server, "172.16.1.1");
    EXPECT_EQ(board.kernel_release, "6.1.0");
    EXPECT_THAT(board.tftp_prefixes, ElementsAre("5b154510/", "dc-a6-32-00-00-01/"));
}

TEST_F(Compose, FiltersAndIncludesOfTheFleetFileReachTheBoardsConfigTxt) {
    ingest();
    seen.images[key].config_txt = "arm_64bit=1\n[cm4]\notg_mode=1\n";
    fleet.profiles[0].config_txt = {
        {"arm_freq", "1500"},
        {"include", "lab.txt"},
        {"[pi400]", ""},
        {"arm_freq", "1800"},
        {"[all]", ""}};
    fleet.boards[0].config_txt = {{"enable_uart", "1"}};
    EXPECT_EQ(
        text(composed().manifest.boards.at(0), "config.txt"),
        "# Written by Bramble for pi-01: change the fleet file, not this.\n"
        "arm_64bit=1\n[cm4]\notg_mode=1\n"
        "[all]\narm_freq=1500\ninclude lab.txt\n[pi400]\narm_freq=1800\n[all]\n"
        "enable_uart=1\n"
    );
}

// Texts of boot_files: and of the image, for the board whose serial number a filter names.
TEST_F(Compose, IncludedTextsAreLookedAtForEachBoard) {
    ingest();
    fleet.profiles[0].config_txt = {{"include", "lab.txt"}};
    fleet.profiles[0].boot_files["lab.txt"] = "/lab/lab.txt";
    seen.boot_files["/lab/lab.txt"] = object("lab");
    EXPECT_THAT(composed().problems, IsEmpty()) << "nobody knows what it says";
    seen.boot_file_facts["/lab/lab.txt"].text = "[0x5b154511]\nkernel=mine.img\n";
    const auto problems = composed().problems;
    ASSERT_THAT(problems, testing::SizeIs(1));
    EXPECT_EQ(
        problems[0].message,
        "profile 'lab': config.txt has kernel=mine.img, which is not among the boot files; add it "
        "to the image's boot directory or under boot_files:, or name one that is there "
        "[kernel-missing]"
    );
    fleet.boards.pop_back();  // whose number it is
    EXPECT_THAT(composed().problems, IsEmpty());
}

TEST_F(Compose, AStaticAddressIsTheBoardsOwn) {
    ingest();
    fleet.profiles[0].root.ip = fleet::KernelAddress::fixed;
    const Composition wanted = composed();
    EXPECT_THAT(wanted.problems, IsEmpty());
    EXPECT_THAT(
        text(wanted.manifest.boards.at(0), "cmdline.txt"),
        HasSubstr(" rw ip=172.16.1.11:172.16.1.1::255.255.255.0:pi-01:eth0:off rootwait\n")
    );
    EXPECT_THAT(
        text(wanted.manifest.boards.at(1), "cmdline.txt"), HasSubstr(" ip=172.16.1.12:172.16.1.1::")
    );
}

TEST_F(Compose, AStringPrefixFollowsTheSerial) {
    fleet.boards[0].tftp_prefix = fleet::StringPrefix{"lab/"};
    EXPECT_THAT(
        composed().manifest.boards[0].tftp_prefixes,
        ElementsAre("5b154510/", "dc-a6-32-00-00-01/", "lab/")
    );
}

TEST_F(Compose, AnIdentityCarriesWhatTheRootNeedsToKnow) {
    const root::Identity identity = composed().roots.at("pi-02").identity;
    EXPECT_EQ(identity.hostname, "pi-02");
    EXPECT_EQ(identity.up_url, "http://172.16.1.1:8081/v1/boards/pi-02/up");
    EXPECT_EQ(identity.address, Ipv4Address::parse("172.16.1.12").value());
}

TEST_F(Compose, ModeNoneIsBootFilesOnly) {
    ingest();
    fleet.profiles[0].root.mode = fleet::RootMode::none;
    const Composition wanted = composed();
    EXPECT_THAT(wanted.roots, IsEmpty());
    EXPECT_EQ(wanted.manifest.boards[0].root, std::nullopt);
    EXPECT_EQ(text(wanted.manifest.boards[0], "cmdline.txt"), "console=tty1\n");
}

TEST_F(Compose, AnImageWithoutARootTreeIsBootFilesOnly) {
    fleet.images[0].source = fleet::DirectorySource{"/src/boot", std::nullopt};
    EXPECT_THAT(composed().roots, IsEmpty());
}

TEST_F(Compose, AGenericBoardGetsAMenuForUBoot) {
    ingest();
    fleet.profiles[0].model = BoardModel::generic;
    seen.images[key].files["vmlinuz"] = object("kernel");
    seen.images[key].files["initrd.img"] = object("initramfs");
    const layout::BoardEntry board = composed().manifest.boards[0];
    EXPECT_THAT(
        text(board, "pxelinux.cfg/default"),
        HasSubstr("KERNEL vmlinuz\n    INITRD initrd.img\n    APPEND console=tty1 root=/dev/nfs ")
    );
    EXPECT_FALSE(board.files.contains("config.txt"));
    EXPECT_EQ(board.bootfile, std::nullopt);
}

TEST_F(Compose, AGenericBoardWithAScriptIsToldToLoadIt) {
    ingest();
    fleet.profiles[0].model = BoardModel::generic;
    fleet.profiles[0].boot_files["boot.scr.uimg"] = "/lab/boot.scr";
    seen.boot_files["/lab/boot.scr"] = object("script");
    EXPECT_EQ(composed().manifest.boards[0].bootfile, "boot.scr.uimg");
    fleet.profiles[0].dhcp_bootfile = "other.scr";
    EXPECT_EQ(composed().manifest.boards[0].bootfile, "other.scr");
}

TEST_F(Compose, AFileThatTheProfileNamesWinsOverAWrittenText) {
    ingest();
    fleet.profiles[0].boot_files["config.txt"] = "/lab/config.txt";
    seen.boot_files["/lab/config.txt"] = object("own");
    const Composition wanted = composed();
    EXPECT_FALSE(wanted.manifest.boards[0].files.contains("config.txt"));
    const auto* file = wanted.manifest.find_file(wanted.manifest.boards[0], "config.txt");
    EXPECT_EQ(*file, layout::BootFile(object("own")));
}

TEST_F(Compose, RootsOnANasAreNamedAsItExportsThem) {
    fleet.appliance.nfs = fleet::NfsExternal{"nas", "/volume1/bramble"};
    const auto root = composed().manifest.boards[0].root;
    EXPECT_EQ(root->server, "nas");
    EXPECT_EQ(root->path, "/volume1/bramble/boards/pi-01/root." + root_name(key));
}

TEST_F(Compose, BoardsAreSortedByName) {
    std::swap(fleet.boards[0], fleet.boards[1]);
    EXPECT_EQ(composed().manifest.boards[0].name, "pi-01");
}

TEST_F(Compose, AnEnrolledProfileHasItsTreeWithoutAnyBoard) {
    ingest();
    fleet.boards.clear();
    EXPECT_THAT(composed().manifest.trees, IsEmpty());
    fleet.appliance.unknown_boards = fleet::EnrollUnknown{"lab"};
    EXPECT_THAT(composed().manifest.trees, ElementsAre(Key("lab")));
}

}  // namespace
}  // namespace bramble::plan
