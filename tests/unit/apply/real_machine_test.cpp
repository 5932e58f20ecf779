// The same on the real machine, in a temporary directory: links, modes, hard links and locks as the
// kernel has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "machine.hpp"
#include "provisioning/host/real_host.hpp"

namespace bramble::apply {
namespace {

using testing::HasSubstr;

class RealMachine : public testing::Test {
protected:
    RealMachine() {
        char name[] = "/tmp/bramble-apply-XXXXXX";
        top = ::mkdtemp(name);
        for (const char* file : {"start4.elf", "fixup4.dat", "kernel8.img"}) {
            write(host::Path("boot") / file, file);
        }
        write("root/etc/hostname", "raspberrypi\n");
        write("root/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        write("root/etc/shadow", "root:*:18000:0:99999:7:::\n");
        write("root/etc/group", "root:x:0:\n");
        write("root/usr/bin/tool", "ELF");
        std::filesystem::create_hard_link(top / "root/usr/bin/tool", top / "root/usr/bin/alias");
        ::chmod((top / "root/usr/bin/tool").c_str(), 04755);
        fleet.appliance.store = top / "store";
        fleet.images[0].source = fleet::DirectorySource{top / "boot", top / "root"};
        // A configuration is written for a server that does not run: none of this machine is
        // touched.
        fleet.appliance.nfs = fleet::NfsGanesha{};
        fleet.profiles[0].root.copy_on_write = fleet::CopyOnWrite::copy;  // no mounts either
    }

    ~RealMachine() override { std::filesystem::remove_all(top); }

    void write(const host::Path& path, std::string_view text) {
        std::filesystem::create_directories((top / path).parent_path());
        std::ofstream(top / path) << text;
    }

    std::string read(const host::Path& path) { return machine.read_file(path, 1U << 20U).value(); }

    host::Path top;
    host::RealHost machine;
    fleet::Fleet fleet = small_fleet();
};

TEST_F(RealMachine, AppliesTwiceAndPublishesOnce) {
    if (::geteuid() != 0) GTEST_SKIP() << "roots have foreign owners: run as root";
    for (const char* program : {"ssh-keygen", "ganesha.nfsd", "rpcbind"})
        if (!machine.has_program(program)) GTEST_SKIP() << program << " is missing";
    const auto outcome = run(fleet, {}, machine);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->generation, 1U);
    const layout::StorePaths paths(fleet.appliance.store);
    EXPECT_EQ(std::filesystem::read_symlink(paths.current()), "generations/1");
    const host::Path root = paths.board_root("pi-01");
    EXPECT_EQ(read(root / "etc/hostname"), "pi-01\n");

    struct stat tool {};

    ASSERT_EQ(::stat((root / "usr/bin/tool").c_str(), &tool), 0);
    EXPECT_EQ(tool.st_mode & 07777U, 04755U);
    EXPECT_EQ(tool.st_nlink, 2U);

    struct stat boards {};

    ASSERT_EQ(::stat(paths.boards().c_str(), &boards), 0);
    EXPECT_EQ(boards.st_mode & 0777U, 0700U);
    EXPECT_TRUE(std::filesystem::is_empty(paths.staging()));

    const auto again = run(fleet, {}, machine);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_FALSE(again->changed);
    EXPECT_EQ(again->generation, 1U);
}

// A board may turn any directory of its root into a link; the next apply must stay inside.
TEST_F(RealMachine, ABoardsLinksLeadNoApplyAstray) {
    if (::geteuid() != 0) GTEST_SKIP() << "roots have foreign owners: run as root";
    for (const char* program : {"ssh-keygen", "ganesha.nfsd", "rpcbind"})
        if (!machine.has_program(program)) GTEST_SKIP() << program << " is missing";
    ASSERT_TRUE(run(fleet, {}, machine));
    const layout::StorePaths paths(fleet.appliance.store);
    write("ours/hostname", "appliance\n");
    const host::Path root = paths.board_root("pi-01");
    std::filesystem::remove_all(root / "etc");
    std::filesystem::create_symlink(top / "ours", root / "etc");
    fleet.profiles[0].users.push_back({"pi", std::nullopt, {}, false, {}});  // another identity
    const auto outcome = run(fleet, {}, machine);
    EXPECT_EQ(read(top / "ours/hostname"), "appliance\n");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(top / "ours"), {}), 1);
    if (!outcome) {
        EXPECT_THAT(outcome.error().message, HasSubstr("identity of board pi-01"));
    }
}

// Three images and a dozen boards on four threads: the same as on one, and no step is told twice.
TEST_F(RealMachine, StepsSideBySideMakeWhatOneAfterTheOtherMakes) {
    if (::geteuid() != 0) GTEST_SKIP() << "roots have foreign owners: run as root";
    if (!machine.has_program("ssh-keygen")) GTEST_SKIP() << "ssh-keygen is missing";
    const fleet::Board board = fleet.boards[0];
    fleet.boards.clear();
    for (int i = 0; i < 3; ++i) {
        const std::string name = "image" + std::to_string(i);
        write(name + "/kernel8.img", name);
        fleet::Image image = fleet.images[0];
        image.name = name;
        // Two of them have the same source: one tree, made once at a time.
        image.source =
            fleet::DirectorySource{top / ("image" + std::to_string(i / 2)), top / "root"};
        fleet.images.push_back(image);
        fleet::Profile profile = fleet.profiles[0];
        profile.name = profile.image = name;
        fleet.profiles.push_back(profile);
        for (int k = 0; k < 4; ++k) {
            const int number = 4 * i + k;
            fleet::Board one = board;
            one.name = "pi-" + std::to_string(10 + number);
            one.profile = name;
            one.serial = Serial::parse("5b1545" + std::to_string(10 + number)).value();
            one.mac = MacAddress::parse("dc:a6:32:00:00:" + std::to_string(10 + number)).value();
            one.address = Ipv4Address::parse("172.16.1." + std::to_string(10 + number)).value();
            fleet.boards.push_back(one);
        }
    }
    Options options;
    options.jobs = 4;
    std::map<std::size_t, int> ended;
    std::string told;
    options.on_event = [&](const Event& event) {
        if (event.ends_step()) ++ended[event.step];
        told += render(event) + "\n";
    };
    const auto outcome = run(fleet, options, machine);
    ASSERT_TRUE(outcome) << outcome.error().message << told;
    EXPECT_EQ(ended.size(), 17U);  // 3 images, 12 roots, exports, publish
    for (const auto& [step, times] : ended) EXPECT_EQ(times, 1) << step;
    const layout::StorePaths paths(fleet.appliance.store);
    const auto manifest = store::Store(machine, paths).current().value().value();
    for (const fleet::Board& one : fleet.boards) {
        const host::Path root = paths.board_root(one.name);
        EXPECT_EQ(read(root / "etc/hostname"), one.name + "\n");
        EXPECT_NE(manifest.find_board(one.name), nullptr);
    }
    EXPECT_TRUE(std::filesystem::is_empty(paths.staging()));
    options.jobs = 1;
    const auto again = run(fleet, options, machine);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_FALSE(again->changed);
}

}  // namespace
}  // namespace bramble::apply
