// Each way of stopping, played as its events, and the whole sentence that is said of it.
#include "services/boards/diagnosis.hpp"

#include <gtest/gtest.h>

#include "tests/unit/boards/boot_script.hpp"

namespace bramble::boards {
namespace {

struct DiagnosisTest : testing::Test, BootScript {
    std::string after_silence() {
        const Duration since = now - power_on;
        wait(std::chrono::duration<double>(since).count() + 400);
        return boot().diagnosis;
    }
};

TEST_F(DiagnosisTest, AskedOnce) {
    at(0), discover();
    EXPECT_EQ(
        after_silence(),
        "it asked for an address and fell silent: look at its link and its boot order"
    );
}

TEST_F(DiagnosisTest, TookAnotherServersOffer) {
    at(0), discover(), offer();
    at(8), discover(), offer();
    EXPECT_EQ(
        after_silence(),
        "it was offered 172.16.1.3 2 times and did not take it: look for a second DHCP server on "
        "this wire, and for a switch port that still waits for spanning tree (set it to edge or "
        "portfast)"
    );
}

TEST_F(DiagnosisTest, HeldAndGone) {
    at(0), discover(), happen(Held{"3 boards are ahead of it"});
    EXPECT_EQ(
        after_silence(),
        "it was held back (3 boards are ahead of it) and stopped asking for an address: is it "
        "still "
        "powered?"
    );
}

TEST_F(DiagnosisTest, NeverAskedForAFile) {
    at(0), discover(), offer(), acknowledge();
    EXPECT_EQ(
        after_silence(),
        "it took 172.16.1.3 but never asked for a file: look for a firewall before UDP port 69, "
        "and "
        "for another TFTP_IP in its EEPROM"
    );
}

TEST_F(DiagnosisTest, NoStartFile) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("start4.elf", FileOutcome::missing, 0), file("start.elf", FileOutcome::missing, 0);
    at(1), file("config.txt");
    EXPECT_EQ(
        after_silence(),
        "start4.elf, start.elf is not in its boot files, and without it nothing starts: give its "
        "profile an image with the firmware for this model, then apply"
    );
}

TEST_F(DiagnosisTest, ATransferThatBrokeOff) {
    at(0), discover(), offer(), acknowledge();
    at(40), file("start4.elf", FileOutcome::failed, 123'000, 31);
    EXPECT_EQ(
        after_silence(),
        "start4.elf broke off after 123.0 kB: look at cable, switch and power of this board"
    );
}

TEST_F(DiagnosisTest, AForeignPrefix) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("91cdf03d/start4.elf", FileOutcome::refused, 0);
    EXPECT_EQ(
        after_silence(),
        "it asked for 91cdf03d/start4.elf, which is not its own: compare the TFTP prefix in its "
        "EEPROM with the fleet file"
    );
}

TEST_F(DiagnosisTest, NoKernel) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("start4.elf", FileOutcome::loaded, 2'303'680);
    at(2), file("config.txt");
    at(3), file("kernel8.img", FileOutcome::missing, 0);
    EXPECT_EQ(
        after_silence(),
        "none of the kernels it asked for is in its boot files (kernel8.img): look at kernel= in "
        "config_txt and at the kernel of its profile, then apply"
    );
}

TEST_F(DiagnosisTest, SilentAfterAFile) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("start4.elf", FileOutcome::loaded, 2'303'680);
    EXPECT_EQ(
        after_silence(),
        "it fell silent after start4.elf: look at its screen or serial console, and at its LED"
    );
}

TEST_F(DiagnosisTest, AKernelThatNeverSpoke) {
    load_everything();
    EXPECT_EQ(
        after_silence(),
        "kernel8.img was loaded, but nothing was heard of the running system: a kernel for another "
        "model or width, an initramfs that does not belong to it, or no ip= in cmdline; read its "
        "console"
    );
}

TEST_F(DiagnosisTest, ARootThatWasNotMounted) {
    load_everything();
    at(28), kernel_dhcp();
    EXPECT_EQ(
        after_silence(),
        "its kernel has an address but did not get as far as its root: look at the export, at the "
        "NFS version in its profile, and for a firewall before port 2049"
    );
}

TEST_F(DiagnosisTest, AnUserspaceThatDidNotReport) {
    load_everything();
    at(28), kernel_dhcp();
    at(29), happen(Mounted{});
    EXPECT_EQ(
        after_silence(),
        "its root is mounted but it did not report that it is up: look at the unit bramble-up on "
        "the board, and for a failing unit before it"
    );
}

}  // namespace
}  // namespace bramble::boards
