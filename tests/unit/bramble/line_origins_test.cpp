#include "services/bramble/line_origins.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "services/bramble/errands.hpp"

namespace bramble::program {
namespace {

struct LineOriginsTest : testing::Test {
    LineOriginsTest() {
        fleet.sources = {{"lab.yaml", ""}};
        fleet.images.resize(1);
        fleet.images[0].name = "lite";
        fleet.images[0].where = {0, 10, 3};
        fleet.profiles.resize(1);
        fleet.profiles[0].name = "lab";
        fleet.profiles[0].image = "lite";
        fleet.profiles[0].where = {0, 20, 3};
        fleet.profiles[0].cmdline = {"console=serial0,115200 quiet", "console=tty1"};
        fleet.profiles[0].config_txt = {
            {"enable_uart", "1"}, {"[pi4]", ""}, {"initramfs", "x followkernel"}};
        fleet.boards.resize(1);
        fleet.boards[0].name = "pi-01";
        fleet.boards[0].profile = "lab";
        fleet.boards[0].where = {0, 30, 5};
        fleet.boards[0].cmdline = {"debug"};
        fleet.boards[0].config_txt = {{"arm_64bit", "0"}};
    }

    fleet::Fleet fleet;
    const OriginLine image{"", "image 'lite'", "lab.yaml:10"};
    const OriginLine profile{"", "profile 'lab'", "lab.yaml:20"};
    const OriginLine board{"", "board 'pi-01'", "lab.yaml:30"};
    const OriginLine bramble{"", "Bramble", ""};
};

OriginLine with(OriginLine line, const std::string& text) {
    line.text = text;
    return line;
}

TEST_F(LineOriginsTest, EachLineOfConfigTxtIsOfWhoWroteIt) {
    const auto lines = origins_of_config_txt(
        fleet,
        fleet.boards[0],
        "# Written by Bramble for pi-01: change the fleet file, not this.\n"
        "enable_uart=1\n"  // the image says it too: that line is the image's
        "dtparam=audio=on\n"
        "[all]\n"
        "enable_uart=1\n"
        "[pi4]\n"
        "initramfs x followkernel\n"
        "[all]\n"
        "arm_64bit=0\n"
    );
    const std::vector<OriginLine> wanted = {
        with(bramble, "# Written by Bramble for pi-01: change the fleet file, not this."),
        with(image, "enable_uart=1"),
        with(image, "dtparam=audio=on"),
        with(bramble, "[all]"),
        with(profile, "enable_uart=1"),
        with(profile, "[pi4]"),
        with(profile, "initramfs x followkernel"),
        with(bramble, "[all]"),
        with(board, "arm_64bit=0"),
    };
    EXPECT_EQ(lines, wanted);
}

TEST_F(LineOriginsTest, FiltersOfTheFleetFileEndWhereTheyStand) {
    fleet.profiles[0].config_txt = {
        {"[pi400]", ""}, {"arm_freq", "1800"}, {"[all]", ""}, {"gpu_mem", "16"}};
    fleet.boards[0].config_txt = {{"[none]", ""}, {"gpu_mem", "32"}, {"[all]", ""}};
    const auto lines = origins_of_config_txt(
        fleet,
        fleet.boards[0],
        "gpu_mem=32\n"  // the image's
        "[all]\n"
        "[pi400]\n"
        "arm_freq=1800\n"
        "[all]\n"
        "gpu_mem=16\n"
        "[none]\n"
        "gpu_mem=32\n"
        "[all]\n"
    );
    const std::vector<OriginLine> wanted = {
        with(image, "gpu_mem=32"),
        with(bramble, "[all]"),
        with(profile, "[pi400]"),
        with(profile, "arm_freq=1800"),
        with(profile, "[all]"),
        with(profile, "gpu_mem=16"),
        with(board, "[none]"),
        with(board, "gpu_mem=32"),
        with(board, "[all]"),
    };
    EXPECT_EQ(lines, wanted);
}

TEST_F(LineOriginsTest, EachWordOfCmdlineTxtIsOfWhoWroteIt) {
    const auto words = origins_of_cmdline_txt(
        fleet,
        fleet.boards[0],
        "console=serial0,115200 quiet console=tty1 debug root=/dev/nfs nfsroot=a:/b,vers=3 rw "
        "ip=dhcp rootwait\n"
    );
    std::string told;
    for (const OriginLine& word : words) told += word.text + " <- " + word.from + "\n";
    EXPECT_EQ(
        told,
        "console=serial0,115200 <- profile 'lab'\nquiet <- profile 'lab'\nconsole=tty1 <- profile "
        "'lab'\ndebug <- board 'pi-01'\nroot=/dev/nfs <- Bramble\nnfsroot=a:/b,vers=3 <- "
        "Bramble\nrw <- Bramble\nip=dhcp <- Bramble\nrootwait <- Bramble\n"
    );
    fleet.profiles[0].cmdline.clear();
    EXPECT_EQ(
        origins_of_cmdline_txt(fleet, fleet.boards[0], "loglevel=3\n").front().from, "image 'lite'"
    );
}

TEST_F(LineOriginsTest, ABoardThatWasEnrolledStandsInNoFile) {
    fleet.boards[0].where = {};
    EXPECT_EQ(origins_of_cmdline_txt(fleet, fleet.boards[0], "debug").front().where, "");
    fleet.boards[0].profile = "gone";
    EXPECT_EQ(origins_of_config_txt(fleet, fleet.boards[0], "a=b\n").front().from, "");
    EXPECT_TRUE(origins_of_config_txt(fleet, fleet.boards[0], "").empty());
}

TEST(Errands, AreDoneInTurnAndNoMoreThanABoundWait) {
    std::mutex gate;
    std::atomic<int> done = 0;
    {
        Errands errands;
        gate.lock();
        std::atomic<bool> begun = false;
        ASSERT_TRUE(errands.add([&] {
            begun = true;
            const std::lock_guard wait(gate);
            ++done;
        }));
        while (!begun) std::this_thread::yield();
        for (std::size_t i = 0; i < Errands::waiting_max; ++i) {
            EXPECT_TRUE(errands.add([&done, i] {
                if (done == static_cast<int>(i) + 1) ++done;
            }));
        }
        EXPECT_FALSE(errands.add([] {}));
        gate.unlock();
        while (done <= static_cast<int>(Errands::waiting_max)) std::this_thread::yield();
    }
    EXPECT_EQ(done, static_cast<int>(Errands::waiting_max) + 1);
}

}  // namespace
}  // namespace bramble::program
