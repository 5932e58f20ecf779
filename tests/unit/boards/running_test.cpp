// The running system in a board's story: its root, its report, its heartbeats, its console.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/boards/tracker.hpp"
#include "tests/unit/boards/boot_script.hpp"

namespace bramble::boards {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;

struct RunningTest : testing::Test, BootScript {};

TEST_F(RunningTest, AKernelWithAStaticAddressIsHeardByTheNfsServerFirst) {
    load_everything();
    at(20), happen(Knocked{NfsDoor::mount});
    EXPECT_EQ(boot().phase, Phase::root);
    at(21), happen(Mounted{});
    EXPECT_EQ(boot().phase, Phase::userspace);
}

TEST_F(RunningTest, NobodyMountsBeforeItHasAKernel) {
    at(0), discover(), offer(), acknowledge();
    at(1), happen(Knocked{NfsDoor::nfs}), happen(Mounted{});
    EXPECT_EQ(boot().phase, Phase::firmware);
}

TEST_F(RunningTest, TheKernelIsTheGenerationsUntilTheBoardSaysWhichOneRuns) {
    expect({"6.1.0-56-arm64", "", "", "", false});
    load_everything();
    EXPECT_EQ(boot().kernel, "6.1.0-56-arm64");
    at(41), happen(ReportedUp{"6.6.20+rpt-rpi-v8"});
    EXPECT_EQ(boot().kernel, "6.6.20+rpt-rpi-v8");
    EXPECT_THAT(
        lines(),
        testing::Contains("up it runs kernel 6.6.20+rpt-rpi-v8, and its generation has "
                          "6.1.0-56-arm64: its modules may be missing")
    );
}

TEST_F(RunningTest, MissedHeartbeatsAreSilence) {
    load_everything();
    at(41), happen(ReportedUp{"", 60s});
    for (int i = 1; i <= 10; ++i) at(41 + 60 * i), happen(Heartbeat{});
    wait(641 + 209);
    EXPECT_EQ(story().condition(), Condition::up);
    EXPECT_EQ(tracker.next_deadline(), power_on + 641s + 210s);
    lines();
    wait(641 + 210);
    EXPECT_EQ(story().condition(), Condition::silent);
    const std::string words =
        "it was up and has not been heard for 3m 30s: it is switched off, hangs, or is cut off "
        "from this wire";
    EXPECT_THAT(lines(), ElementsAre("silent " + words));
    EXPECT_EQ(story().diagnosis(now), words);
    EXPECT_EQ(tracker.next_deadline(), std::nullopt);  // said once
    at(1000), happen(Heartbeat{});
    EXPECT_EQ(story().condition(), Condition::up);
    EXPECT_THAT(lines(), ElementsAre("up is heard again after 5m 59s"));
}

TEST_F(RunningTest, WhoPromisedNoHeartbeatIsNeverSilent) {
    load_everything();
    at(41), happen(ReportedUp{});
    wait(1e6);
    EXPECT_EQ(story().condition(), Condition::up);
}

TEST_F(RunningTest, AHeartbeatStandsForAReportThatGotLost) {
    load_everything();
    at(28), kernel_dhcp(), happen(Mounted{});
    at(90), happen(Heartbeat{"6.1", 60s});
    EXPECT_EQ(boot().state, BootState::up);
    EXPECT_EQ(boot().heartbeat, 60s);
}

TEST_F(RunningTest, AHeartbeatFromBeforeAResetIsNoReport) {
    load_everything();
    at(41), happen(ReportedUp{"", 60s});
    at(50), discover();
    at(50.1), happen(Heartbeat{"", 60s});
    EXPECT_EQ(boot().phase, Phase::address);
    EXPECT_EQ(boot().state, BootState::running);
    wait(51);
    EXPECT_NE(story().condition(), Condition::silent);
}

TEST_F(RunningTest, ARestoredBoardOwesItsHeartbeats) {
    load_everything();
    at(41), happen(ReportedUp{"", 60s});
    BootScript next;
    next.at(10'000);
    next.tracker.restore("pi-01", boot(), next.now);
    next.wait(10'209);
    EXPECT_EQ(next.story().condition(), Condition::up);
    next.wait(10'210);
    EXPECT_EQ(next.story().condition(), Condition::silent);
}

TEST_F(RunningTest, WhatTheBootLoaderSaidBeforeItAskedIsOfTheNewBoot) {
    load_everything();
    at(20), happen(ConsoleSaid{"Linux version 6.1\n", address});
    at(60), happen(ConsoleSaid{"Boot mode: NETWORK (02)\n", Ipv4Address({169, 254, 1, 1})});
    at(63), discover();
    ASSERT_THAT(story().console.lines(), SizeIs(1));
    EXPECT_EQ(story().console.lines()[0].text, "Boot mode: NETWORK (02)");
    EXPECT_TRUE(story().console.lines()[0].from_loader);
}

TEST_F(RunningTest, HowABootEnded) {
    load_everything();
    EXPECT_EQ(describe_end(boot()), "in kernel");
    at(41), happen(ReportedUp{});
    EXPECT_EQ(describe_end(boot()), "up after 41.0 s");
    power_on += 1h, load_everything();
    wait(400);
    EXPECT_THAT(describe_end(boot()), testing::StartsWith("stopped in kernel: kernel8.img was"));
    at(410), discover();
    EXPECT_THAT(
        describe_end(story().history.front()),
        testing::StartsWith("gave way to another boot in kernel: kernel8.img was")
    );
}

}  // namespace
}  // namespace bramble::boards
