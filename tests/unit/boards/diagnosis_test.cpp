// Each way of stopping, played as its events, and the whole sentence that is said of it.
#include "services/boards/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/boards/boot_script.hpp"

namespace bramble::boards {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr Ipv4Address foreign({172, 16, 1, 254});

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

TEST_F(DiagnosisTest, DidNotTakeItsOffer) {
    at(0), discover(), offer();
    at(8), discover(), offer();
    EXPECT_EQ(
        after_silence(),
        "it was offered 172.16.1.3 2 times and did not take it: look for a second DHCP server on "
        "this wire, and for a switch port that still waits for spanning tree (set it to edge or "
        "portfast)"
    );
}

// Each new attempt takes the link down, and the port blocks anew (fact sheet 8, rule 1).
TEST_F(DiagnosisTest, SilenceInTheShapeOfSpanningTree) {
    at(0), discover(), offer();
    at(52), discover(), offer();
    EXPECT_EQ(
        after_silence(),
        "it was offered 172.16.1.3 2 times and did not take it, with 52.0 s of silence between its "
        "attempts: its switch port blocks for spanning tree whenever the link comes up; set the "
        "port to edge or portfast"
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

struct RootDiagnosisTest : DiagnosisTest {
    RootDiagnosisTest() {
        load_everything();
        at(28), kernel_dhcp();
    }
};

TEST_F(RootDiagnosisTest, NeverAskedTheNfsServer) {
    EXPECT_EQ(
        after_silence(),
        "its kernel has an address but never asked the NFS server: look at root= and nfsroot= of "
        "its command line, at the NFS version in its profile, and for a firewall before port 2049"
    );
}

TEST_F(RootDiagnosisTest, ProtoInAnInitramfsOfKlibc) {
    expect({"", "3", "/srv/pi-01", "nfsroot=172.16.1.1:/srv/pi-01,vers=3,proto=tcp", true});
    EXPECT_EQ(
        after_silence(),
        "its kernel has an address but never asked the NFS server: an initramfs that mounts with "
        "the nfsmount of klibc refuses proto= in nfsroot=: write tcp instead"
    );
}

TEST_F(RootDiagnosisTest, VersionFourInAnInitramfsOfKlibc) {
    expect({"", "4.2", "/srv/pi-01", "nfsroot=172.16.1.1:/srv/pi-01,vers=4.2", true});
    EXPECT_EQ(
        after_silence(),
        "its kernel has an address but never asked the NFS server: an initramfs that mounts with "
        "the nfsmount of klibc knows versions 2 and 3 only: set root: {nfs_version: 3}"
    );
}

TEST_F(RootDiagnosisTest, AFirewall) {
    happen(Knocked{NfsDoor::nfs, false}), at(29), happen(Knocked{NfsDoor::nfs, true});
    EXPECT_EQ(
        after_silence(),
        "its kernel runs and asks the NFS server, whose answers do not come through: look for a "
        "firewall before TCP ports 111, 2049 and 20048"
    );
}

TEST_F(RootDiagnosisTest, ThePortmapperKnowsNothing) {
    happen(Knocked{NfsDoor::portmapper, false});
    EXPECT_THAT(after_silence(), StartsWith("its kernel asked the portmapper and went no further"));
}

TEST_F(RootDiagnosisTest, TheMountWasRefused) {
    expect({"", "3", "/srv/pi-01", "", false});
    happen(Knocked{NfsDoor::mount, false});
    EXPECT_EQ(
        after_silence(),
        "the NFS server did not let it mount /srv/pi-01: its export is missing, or is not open to "
        "172.16.1.3; run `bramble apply`, which writes the exports anew, and look at the server's "
        "log"
    );
}

TEST_F(RootDiagnosisTest, TheMountDidNotHold) {
    expect({"", "4.2", "/srv/pi-01", "", false});
    happen(Knocked{NfsDoor::nfs, false});
    EXPECT_EQ(
        after_silence(),
        "its kernel reached the NFS server, but the mount did not hold: look whether the server "
        "gives /srv/pi-01 by NFS version 4.2 to 172.16.1.3"
    );
}

TEST_F(RootDiagnosisTest, NoServerIsThere) {
    happen(Knocked{NfsDoor::nfs, false});
    EXPECT_THAT(after_silence(), StartsWith("its kernel reached the NFS server"));
    lines();
    happen(Examined{{}, false, "", "", true});
    EXPECT_EQ(
        boot().diagnosis,
        "its kernel runs, but no NFS server answers where its root is: start it (systemctl start "
        "bramble-nfs, or nfs-server)"
    );
    EXPECT_THAT(lines(), ElementsAre("examined " + boot().diagnosis));
}

TEST_F(RootDiagnosisTest, ItsKernelTookAnotherServersAddress) {
    address = Ipv4Address({172, 16, 1, 207});
    happen(TookAnotherOffer{foreign, address}), happen(GotAddress{Speaker::system, address});
    happen(Knocked{NfsDoor::mount, false});
    EXPECT_THAT(
        after_silence(),
        StartsWith("its kernel took 172.16.1.207 from another DHCP server, 172.16.1.254, and its "
                   "root is open to its own address alone")
    );
}

TEST_F(DiagnosisTest, AFindingOfItsGenerationIsTheCause) {
    load_everything();
    after_silence();
    happen(Examined{
        static_cast<int>(Phase::kernel),
        true,
        "kernel8.img is a 32-bit kernel",
        "serve another",
        false});
    EXPECT_EQ(boot().diagnosis, "kernel8.img is a 32-bit kernel: serve another");
    EXPECT_EQ(boot().state, BootState::stuck);
}

TEST_F(DiagnosisTest, AFindingOfALaterPhaseIsNotTheCause) {
    load_everything();
    const std::string before = after_silence();
    happen(Examined{static_cast<int>(Phase::userspace), true, "no init", "apply", false});
    EXPECT_EQ(boot().diagnosis, before);
    happen(Examined{static_cast<int>(Phase::root), true, "the export is gone", "apply", false});
    EXPECT_EQ(boot().diagnosis, "the export is gone: apply; if that is not it, " + before);
}

TEST_F(DiagnosisTest, WhatLiesAheadComesAfterWhatWasSeen) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("start4.elf", FileOutcome::loaded, 2'303'680), file("config.txt");
    const std::string before = after_silence();
    const int kernel = static_cast<int>(Phase::kernel);
    happen(Examined{kernel, true, "a 32-bit kernel", "serve another", false});
    EXPECT_EQ(boot().diagnosis, before + "; besides, a 32-bit kernel: serve another");
}

TEST_F(DiagnosisTest, AKernelThatWasAskedForInVainIsWhatWasFound) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("start4.elf", FileOutcome::loaded, 2'303'680), file("config.txt");
    at(2), file("recovery8.img", FileOutcome::missing, 0);
    at(2), file("kernel8.img", FileOutcome::missing, 0);
    EXPECT_THAT(after_silence(), HasSubstr("in its boot files (kernel8.img)"));
    const int kernel = static_cast<int>(Phase::kernel);
    happen(Examined{kernel, true, "none of kernel8.img is served", "add it", false});
    EXPECT_EQ(boot().diagnosis, "none of kernel8.img is served: add it");
}

TEST_F(DiagnosisTest, ADoubtOfAnEarlierPhaseIsNotTheCause) {
    load_everything();
    at(28), kernel_dhcp();
    const std::string before = after_silence();
    happen(Examined{static_cast<int>(Phase::config), false, "no such overlay", "add it", false});
    EXPECT_EQ(boot().diagnosis, before);
}

TEST_F(DiagnosisTest, ATransferThatBrokeOffIsNoFaultOfItsGeneration) {
    at(0), discover(), offer(), acknowledge();
    at(40), file("start4.elf", FileOutcome::failed, 123'000, 31);
    const std::string before = after_silence();
    happen(Examined{static_cast<int>(Phase::firmware), true, "no fixup", "add it", false});
    EXPECT_EQ(boot().diagnosis, before);
}

// Firmware that finds no start file begins anew; its events never end, and it never falls silent.
TEST_F(DiagnosisTest, ABoardThatBeginsAgainAndAgain) {
    for (int round = 0; round < 4; ++round) {
        at(round * 10), discover(), offer(), acknowledge();
        at(round * 10 + 1), file("start4.elf", FileOutcome::missing, 0);
    }
    EXPECT_EQ(story().condition(), Condition::stuck);
    EXPECT_EQ(
        boot().diagnosis,
        "it begins again and again (4 times): start4.elf is not in its boot files, and without it "
        "nothing starts: give its profile an image with the firmware for this model, then apply"
    );
    lines();
    at(40), discover(), offer(), acknowledge();
    EXPECT_THAT(lines(), IsEmpty());  // told once
    at(41), file("start4.elf", FileOutcome::loaded, 2'303'680);
    EXPECT_EQ(story().condition(), Condition::booting);
    EXPECT_EQ(boot().diagnosis, "");
}

// It asks on for ever, and is never silent for long enough to count as stuck.
TEST_F(DiagnosisTest, ABoardThatLeavesEveryOfferLying) {
    happen(ForeignServerHeard{foreign, {}}, "");
    for (int round = 0; round < 8; ++round) at(round * 12), discover(), offer();
    EXPECT_EQ(story().condition(), Condition::stuck);
    EXPECT_THAT(
        boot().diagnosis,
        StartsWith("it was offered 172.16.1.3 5 times and did not take it, and another DHCP server,"
                   " 172.16.1.254, was heard")
    );
    lines();
    acknowledge(), file("start4.elf", FileOutcome::probed);
    EXPECT_EQ(story().condition(), Condition::booting);
    EXPECT_EQ(boot().diagnosis, "");
}

TEST_F(DiagnosisTest, BootsThatFollowEachOtherWithoutComingUp) {
    for (int round = 0; round < 3; ++round) {
        load_everything();
        power_on += std::chrono::seconds(60);
    }
    at(0), discover();
    const Boot& last = story().history.front();
    EXPECT_EQ(last.state, BootState::superseded);
    EXPECT_THAT(last.diagnosis, StartsWith("3 boots in a row did not come up: kernel8.img was lo"));
    EXPECT_THAT(reaction.stopped, ElementsAre("pi-01"));
    EXPECT_THAT(lines(), Contains("circle " + last.diagnosis));
    EXPECT_EQ(story().diagnosis(now), last.diagnosis);
    happen(Examined{static_cast<int>(Phase::kernel), true, "a 32-bit kernel", "serve 64", false});
    EXPECT_EQ(
        story().diagnosis(now), "3 boots in a row did not come up: a 32-bit kernel: serve 64"
    );
}

TEST_F(DiagnosisTest, ARetryStorm) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("start4.elf", FileOutcome::loaded, 2'303'680);
    for (int i = 0; i < 30; ++i) {
        at(2 + 0.02 * i), file("fixup4.dat", FileOutcome::failed, 0);
    }
    at(3), file("fixup4.dat", FileOutcome::missing, 0);
    EXPECT_EQ(story().condition(), Condition::stuck);
    after_silence();
    EXPECT_EQ(boot().state, BootState::stuck);
    const FileRecord* record = boot().find_file("fixup4.dat");
    EXPECT_EQ(record->asked, 31U);
    EXPECT_TRUE(is_storm(*record));
    EXPECT_THAT(
        diagnose(boot()),
        StartsWith("it asked for fixup4.dat 31 times and goes on asking: its firmware does not "
                   "accept the answers; look for a second TFTP server on this wire")
    );
}

TEST_F(DiagnosisTest, ABoardThatWaitsIsNotStuck) {
    for (int i = 0; i < 20; ++i) {
        at(i * 30), discover(), happen(Held{"3 boards are ahead of it"});
        reaction.add(tracker.on_deadline(now));
    }
    EXPECT_EQ(story().condition(), Condition::waiting);
    EXPECT_EQ(story().diagnosis(now), "");
    EXPECT_EQ(describe_end(boot()), "waits: 3 boards are ahead of it");
}

TEST_F(DiagnosisTest, NeverAskedForAnything) {
    EXPECT_EQ(
        story().diagnosis(now),
        "it has never asked for an address: is it powered, is its link up, is network (2) in its "
        "BOOT_ORDER, and is it on this wire?"
    );
}

TEST_F(DiagnosisTest, ItsConsoleIsQuoted) {
    load_everything();
    at(20);
    happen(ConsoleSaid{"Kernel panic - not syncing: VFS: Unable to mount root\n", address});
    at(21), happen(ConsoleSaid{"---[ end Kernel panic ]---\n", address});
    EXPECT_THAT(
        after_silence(),
        testing::EndsWith(
            "; its console said: Kernel panic - not syncing: VFS: Unable to mount root"
        )
    );
}

}  // namespace
}  // namespace bramble::boards
