// Events in, the board's story out: phases, files, bindings, ends, bounds.
#include "services/boards/tracker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/boards/boot_script.hpp"

namespace bramble::boards {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct TrackerTest : testing::Test, BootScript {};

TEST_F(TrackerTest, AWholeBootPassesEveryPhase) {
    load_everything();
    at(28), kernel_dhcp();
    at(29), happen(Mounted{});
    at(41), happen(ReportedUp{});
    EXPECT_EQ(boot().state, BootState::up);
    EXPECT_EQ(story().condition(), Condition::up);
    EXPECT_EQ(boot().duration(Phase::address), 100ms);
    EXPECT_EQ(boot().duration(Phase::firmware), 1900ms);
    EXPECT_EQ(boot().duration(Phase::config), 3s);
    EXPECT_EQ(boot().duration(Phase::kernel), 23s);
    EXPECT_EQ(boot().duration(Phase::root), 1s);
    EXPECT_EQ(boot().duration(Phase::userspace), 12s);
    EXPECT_EQ(boot().total(), 41s);
    EXPECT_EQ(boot().generation, 7U);
    EXPECT_THAT(
        lines(),
        ElementsAre(
            "address asks for an address",
            "address 172.16.1.3 after 100 ms",
            "firmware start4.elf 2.3 MB in 900 ms",
            "kernel kernel8.img 9.7 MB in 3.0 s",
            "kernel runs and asks for an address 18.0 s after its last file",
            "root is mounted",
            "up after 41.0 s (address 100 ms, firmware 1.9 s, config 3.0 s, kernel 23.0 s, root "
            "1.0 "
            "s, userspace 12.0 s), 12.1 MB loaded"
        )
    );
    ASSERT_EQ(reaction.ended.size(), 1U);
    EXPECT_EQ(reaction.ended[0].boot, boot());
}

TEST_F(TrackerTest, OneFileIsOneRecordWhateverWasAskedOfIt) {
    load_everything();
    const FileRecord* start = boot().find_file("start4.elf");
    ASSERT_NE(start, nullptr);
    EXPECT_EQ(start->probes, 1U);
    EXPECT_EQ(start->loads, 1U);
    EXPECT_EQ(start->bytes, 2'303'680U);
    EXPECT_EQ(start->took, 900ms);
    EXPECT_EQ(start->outcome, FileOutcome::loaded);
    EXPECT_EQ(boot().find_file("config.txt")->loads, 2U);
    EXPECT_EQ(boot().find_file("pieeprom.sig")->outcome, FileOutcome::missing);
}

TEST_F(TrackerTest, RepeatedDiscoversAreOneBoot) {
    at(0), discover();
    at(8), discover();
    at(24), discover(), offer();
    at(24.1), acknowledge();
    EXPECT_EQ(boot().discovers, 3U);
    EXPECT_EQ(boot().duration(Phase::address), 24'100ms);
    EXPECT_THAT(story().history, IsEmpty());
}

// A large file on a slow link: four minutes between its beginning and its end.
TEST_F(TrackerTest, AFileThatGetsOnIsNoSilence) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("start4.elf");
    for (int second = 30; second <= 240; second += 30) {
        at(second), tracker.on_progress("pi-01", now);
        wait(second + 29);
    }
    EXPECT_EQ(boot().state, BootState::running);
    EXPECT_EQ(story().last_seen, now - 29s);
    wait(240 + 89);
    EXPECT_EQ(boot().state, BootState::running);
    wait(240 + 90);
    EXPECT_EQ(boot().state, BootState::stuck);
    at(400), tracker.on_progress("nobody", now), tracker.on_progress("pi-01", now);
    wait(330 + 15 * 60);
    EXPECT_EQ(boot().state, BootState::stuck) << "it is not given up while it gets on";
    wait(400 + 15 * 60);
    EXPECT_EQ(boot().state, BootState::abandoned);
}

// U-Boot looks for a script, finds none, and asks for an address again before it looks for a menu.
TEST_F(TrackerTest, ADiscoverAfterNothingWasFoundIsTheSameBoot) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("boot.scr.uimg", FileOutcome::missing, 0);
    at(2), discover(), offer(), acknowledge();
    at(3), file("pxelinux.cfg/default");
    EXPECT_THAT(story().history, IsEmpty());
    EXPECT_EQ(boot().discovers, 2U);
}

TEST_F(TrackerTest, ADiscoverInMidBootIsAnotherBoot) {
    load_everything();
    at(12), discover();
    ASSERT_THAT(story().history, SizeIs(1));
    EXPECT_EQ(story().history[0].state, BootState::superseded);
    EXPECT_EQ(boot().phase, Phase::address);
    EXPECT_THAT(boot().files, IsEmpty());
}

// The transfer that the reset cut off ends by time-out, half a minute into the next boot.
TEST_F(TrackerTest, ATransferThatBeganInAnEarlierBootIsNotTheNewOnes) {
    load_everything();
    at(12), discover(), offer(), acknowledge();
    at(40), file("initramfs8", FileOutcome::failed, 500, 29);
    EXPECT_EQ(boot().find_file("initramfs8"), nullptr);
}

TEST_F(TrackerTest, AStaticAddressBeginsWithItsFirstFile) {
    at(5), file("start4.elf", FileOutcome::probed, 0, 0.5);
    EXPECT_EQ(boot().phase, Phase::firmware);
    EXPECT_EQ(boot().started, power_on + 4500ms);
    EXPECT_EQ(boot().generation, 7U);
}

TEST_F(TrackerTest, APi5ReadsItsConfigurationWithoutAStartFile) {
    at(0), discover(), offer(), acknowledge();
    at(1), file("config.txt");
    EXPECT_EQ(boot().phase, Phase::config);
}

// A Pi 4 reads config.txt once before its start file: that is still the firmware's phase.
TEST_F(TrackerTest, APi4sFirstConfigIsStillFirmware) {
    at(0), discover(), offer(), acknowledge();
    at(0.2), file("start4.elf", FileOutcome::probed);
    at(0.3), file("config.txt");
    EXPECT_EQ(boot().phase, Phase::firmware);
}

TEST_F(TrackerTest, AHeldBoardWaitsAndIsToldOnce) {
    at(0), discover(), happen(Held{"3 boards are ahead of it"});
    at(8), discover(), happen(Held{"3 boards are ahead of it"});
    EXPECT_EQ(story().condition(), Condition::waiting);
    at(24), discover(), offer(), acknowledge();
    EXPECT_EQ(story().condition(), Condition::booting);
    EXPECT_THAT(
        lines(),
        ElementsAre(
            "address asks for an address",
            "waiting 3 boards are ahead of it",
            "waiting its turn has come",
            "address 172.16.1.3 after 24.0 s"
        )
    );
}

TEST_F(TrackerTest, ABoardThatIsUpRenewsItsLeaseUnnoticed) {
    load_everything();
    at(41), happen(ReportedUp{});
    at(1800), kernel_dhcp();
    EXPECT_EQ(story().condition(), Condition::up);
    EXPECT_EQ(story().last_seen, now);
    at(1900), happen(ReportedUp{});
    EXPECT_THAT(reaction.ended, SizeIs(1));
}

TEST_F(TrackerTest, AReportWithoutABootIsABoardThatWasUpBeforeUs) {
    at(0), happen(ReportedUp{});
    EXPECT_EQ(story().condition(), Condition::up);
    EXPECT_TRUE(boot().partial);
    EXPECT_THAT(lines(), ElementsAre("up its boot was not seen"));
}

TEST_F(TrackerTest, SilenceMakesABoardStuckAndASignFreesIt) {
    load_everything();
    wait(129);
    EXPECT_EQ(story().condition(), Condition::booting);
    wait(130);
    EXPECT_EQ(story().condition(), Condition::stuck);
    EXPECT_EQ(boot().diagnosis.find("kernel8.img was loaded"), 0U);
    wait(200);  // said once
    at(210), kernel_dhcp();
    EXPECT_EQ(story().condition(), Condition::booting);
    EXPECT_EQ(boot().diagnosis, "");
    const auto said = lines();
    EXPECT_EQ(
        std::count_if(
            said.begin(), said.end(), [](const auto& line) { return line.starts_with("stuck "); }
        ),
        1
    );
}

TEST_F(TrackerTest, LongSilenceAbandonsTheBootWithItsDiagnosis) {
    load_everything();
    wait(130);
    wait(10 + 15 * 60);
    EXPECT_EQ(boot().state, BootState::abandoned);
    EXPECT_NE(boot().diagnosis, "");
    EXPECT_EQ(story().condition(), Condition::stuck);
    EXPECT_THAT(reaction.ended, SizeIs(1));
    EXPECT_FALSE(tracker.next_deadline());
}

TEST_F(TrackerTest, NextDeadlineIsTheEarliestBoards) {
    EXPECT_FALSE(tracker.next_deadline());
    at(0), discover();
    at(10), happen(AskedForAddress{}, "pi-02");
    EXPECT_EQ(tracker.next_deadline(), power_on + 60s);
}

// A sign of life costs no walk through the fleet: the deadline may be early, and says so by doing
// nothing but to name the next one.
TEST_F(TrackerTest, ADeadlineThatCameTooEarlyNamesTheTrueOne) {
    at(0), discover();
    at(10), discover();
    EXPECT_EQ(tracker.next_deadline(), power_on + 60s);
    at(60);
    EXPECT_THAT(tracker.on_deadline(now).lines, IsEmpty());
    EXPECT_EQ(tracker.next_deadline(), power_on + 70s);
}

// ---- generations --------------------------------------------------------------------------------

TEST_F(TrackerTest, ABootKeepsTheGenerationItBeganWith) {
    at(0), discover(), offer(), acknowledge();
    tracker.set_generation(8);
    EXPECT_EQ(tracker.generation_for("pi-01"), 7U);
    EXPECT_EQ(tracker.generation_for("pi-02"), 8U);
    EXPECT_THAT(
        tracker.bindings(), ElementsAre(std::pair<const std::string, std::uint64_t>{"pi-01", 7})
    );
    at(1), file("start4.elf", FileOutcome::loaded, 2'303'680);
    EXPECT_EQ(tracker.generation_for("pi-01"), 7U);
}

TEST_F(TrackerTest, ABindingEndsWithTheReport) {
    load_everything();
    tracker.set_generation(8);
    reaction.rebound.clear();
    at(41), happen(ReportedUp{});
    EXPECT_THAT(reaction.rebound, ElementsAre("pi-01"));
    EXPECT_EQ(tracker.generation_for("pi-01"), 8U);
    EXPECT_THAT(tracker.bindings(), IsEmpty());
}

TEST_F(TrackerTest, ABindingEndsWithTheNextBoot) {
    load_everything();
    tracker.set_generation(8);
    at(20), discover();
    EXPECT_EQ(tracker.generation_for("pi-01"), 8U);
}

TEST_F(TrackerTest, ABindingEndsWithLongSilence) {
    load_everything();
    tracker.set_generation(8);
    wait(130);
    EXPECT_EQ(tracker.generation_for("pi-01"), 7U);
    wait(10 + 15 * 60);
    EXPECT_EQ(tracker.generation_for("pi-01"), 8U);
}

TEST_F(TrackerTest, ABoardThatWaitedBeginsWithTheGenerationOfItsOffer) {
    at(0), discover(), happen(Held{"the queue is long"});
    tracker.set_generation(8);
    at(8), discover(), offer();
    EXPECT_EQ(tracker.generation_for("pi-01"), 8U);
}

TEST_F(TrackerTest, ABootThatARestartCutInTwoGoesOnWithItsGeneration) {
    tracker.set_generation(9);
    at(0);
    tracker.resume("pi-01", 7, now);
    EXPECT_EQ(tracker.generation_for("pi-01"), 7U);
    at(1), file("kernel8.img", FileOutcome::loaded, 9'695'883);
    EXPECT_EQ(tracker.generation_for("pi-01"), 7U);
    at(30), happen(ReportedUp{});
    EXPECT_EQ(tracker.generation_for("pi-01"), 9U);
}

TEST_F(TrackerTest, ADiscoverAfterARestartIsABootOfItsOwn) {
    tracker.set_generation(9);
    at(0);
    tracker.resume("pi-01", 7, now);
    at(1), discover();
    EXPECT_EQ(tracker.generation_for("pi-01"), 9U);
    EXPECT_FALSE(story().boot->partial);
}

// ---- bounds
// ---------------------------------------------------------------------------------------

TEST_F(TrackerTest, HistoryIsBounded) {
    for (int i = 0; i < 50; ++i) {
        load_everything();
        power_on += 1h;
        at(0);
    }
    EXPECT_THAT(story().history, SizeIs(Settings{}.history_max));
}

TEST_F(TrackerTest, FilesOfABootAreBounded) {
    at(0), discover(), offer(), acknowledge();
    at(1);
    for (int i = 0; i < 1000; ++i) file("overlays/" + std::to_string(i), FileOutcome::missing, 0);
    EXPECT_THAT(boot().files, SizeIs(Boot::files_max));
    EXPECT_EQ(boot().files_dropped, 1000U - Boot::files_max);
}

TEST_F(TrackerTest, StrangersAreListedOnceAndBounded) {
    for (std::uint8_t round = 0; round < 2; ++round) {
        for (unsigned i = 0; i < 300; ++i) {
            Identity who;
            who.mac = MacAddress(
                {0xdc,
                 0xa6,
                 0x32,
                 0,
                 static_cast<std::uint8_t>(i >> 8U),
                 static_cast<std::uint8_t>(i)}
            );
            at(round * 1000 + i);
            tracker.on_event({now, who, AskedForAddress{}});
            tracker.on_event({now, who, Held{"not in the fleet file"}});
        }
    }
    EXPECT_THAT(tracker.strangers(), SizeIs(Settings{}.strangers_max));
    EXPECT_EQ(tracker.strangers().back().reason, "not in the fleet file");
    EXPECT_THAT(tracker.boards(), SizeIs(2));
}

TEST_F(TrackerTest, AStrangerThatJoinsTheFleetIsOneNoMore) {
    Identity who;
    who.mac = *MacAddress::parse("dc:a6:32:00:00:09");
    tracker.on_event({now, who, AskedForAddress{}});
    ASSERT_THAT(tracker.strangers(), SizeIs(1));
    who.board = "pi-09";
    tracker.set_boards({who});
    EXPECT_THAT(tracker.strangers(), IsEmpty());
    EXPECT_EQ(tracker.find("pi-01"), nullptr);
    EXPECT_EQ(tracker.find("pi-09")->condition(), Condition::never_seen);
}

TEST_F(TrackerTest, BoardsThatStayInTheFleetKeepTheirStory) {
    load_everything();
    tracker.set_boards({Identity{"pi-01", {}, {}, {}}});
    EXPECT_EQ(boot().phase, Phase::kernel);
}

TEST_F(TrackerTest, ABootOfAnEarlierRunIsRestored) {
    load_everything();
    at(41), happen(ReportedUp{});
    BootScript next;
    next.tracker.restore("pi-01", boot(), now);
    EXPECT_EQ(next.story().condition(), Condition::up);
    next.tracker.restore("nobody", boot(), now);
}

}  // namespace
}  // namespace bramble::boards
