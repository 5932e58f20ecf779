// Two boards that claim to be one: the fact stays, whichever of them asks, gives up or comes up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/boards/claims.hpp"
#include "tests/unit/boards/boot_script.hpp"

namespace bramble::boards {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

struct TwinTest : testing::Test, BootScript {
    const std::string own = "dc:a6:32:2e:f8:ed";
    const std::string other = "dc:a6:32:00:00:99";
    const std::string said = "two boards say that they are this one, " + other + " and " + own;

    // One boot of a board that shows its MAC, up to its kernel.
    void load_as(const std::string& mac, double since) {
        at(since), discover_as(mac), offer(), acknowledge();
        at(since + 1), file("start4.elf", FileOutcome::loaded, 2'303'680);
        at(since + 3), file("kernel8.img", FileOutcome::loaded, 9'695'883, 1);
    }
};

TEST_F(TwinTest, AskBeforeTheFirstIsUp) {
    at(0), discover_as(own), offer(), acknowledge();
    at(5), discover_as(other), discover_as(other), discover_as(own);
    EXPECT_THAT(
        lines(),
        Contains("address two boards claim to be it, dc:a6:32:00:00:99 and dc:a6:32:2e:f8:ed: look "
                 "at serial: and mac: in the fleet file")
            .Times(1)
    );
    EXPECT_EQ(
        story().diagnosis(now),
        said +
            ": unplug one of them to see which is which, then correct its serial: or mac: in the "
            "fleet file; two boards that do share a serial need an entry each, with mac: alone"
    );
    wait(400);
    EXPECT_THAT(boot().diagnosis, StartsWith(said));
}

// The other came up and never asks again; this one takes two boots, both in its own name.
TEST_F(TwinTest, OneIsUpBeforeTheOtherBeginsAnew) {
    load_as(other, 0);
    at(5), happen(ReportedUp{});
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
    load_as(own, 10);
    load_as(own, 40);
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
    at(60), happen(ReportedUp{});
    EXPECT_EQ(story().condition(), Condition::up);
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
}

// Whoever begins a boot without asking for an address is one of them.
TEST_F(TwinTest, ABootThatNobodyAskedFor) {
    load_as(other, 0);
    at(5), happen(ReportedUp{});
    load_as(own, 10);
    at(15), happen(ReportedUp{});
    at(20), file("start4.elf", FileOutcome::loaded, 2'303'680);
    EXPECT_EQ(story().condition(), Condition::booting);
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
}

TEST_F(TwinTest, IsToldBesideWhatWasSaidBefore) {
    for (int boot = 0; boot < 4; ++boot) load_as(own, boot * 30);
    const std::string before = story().diagnosis(now);
    EXPECT_THAT(before, StartsWith("3 boots in a row did not come up"));
    at(120), discover_as(other);
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
    EXPECT_THAT(story().diagnosis(now), HasSubstr("boots in a row did not come up"));
}

TEST_F(TwinTest, WasSeenLongAgo) {
    load_as(other, 0);
    load_as(own, 3590);
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
    load_as(own, 3700);
    EXPECT_EQ(story().diagnosis(now), "");
}

// A board that came up begins no other boot that would tell of it.
TEST_F(TwinTest, IsForgottenWhileTheOtherRunsOn) {
    load_as(other, 0);
    load_as(own, 10);
    at(60), happen(ReportedUp{});
    at(3599);
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
    at(3601);
    EXPECT_EQ(story().diagnosis(now), "");
}

TEST_F(TwinTest, TheFleetFileTellsThemApart) {
    load_as(other, 0);
    load_as(own, 10);
    Identity first{"pi-01", *MacAddress::parse(own), Serial(0x5b154510), "pi4"};
    tracker.set_boards({first, Identity{"pi-02", *MacAddress::parse(other), {}, "pi4"}});
    EXPECT_EQ(story().diagnosis(now), "");
    load_as(own, 20);
    EXPECT_EQ(story().diagnosis(now), "");
}

TEST_F(TwinTest, TheFleetFileNamesTheOtherMac) {
    load_as(other, 0);
    EXPECT_THAT(story().diagnosis(now), StartsWith(said));
    tracker.set_boards({Identity{"pi-01", *MacAddress::parse(other), Serial(0x5b154510), "pi4"}});
    EXPECT_EQ(story().diagnosis(now), "");
    load_as(other, 10);
    EXPECT_EQ(story().diagnosis(now), "");
}

TEST_F(TwinTest, IsKnownAfterARestartOfTheServer) {
    load_as(other, 0);
    at(5), happen(ReportedUp{});
    BootScript next;
    next.tracker.restore("pi-01", boot(), now);
    EXPECT_THAT(next.story().diagnosis(now), StartsWith(said));
    next.at(20), next.discover_as(own);
    EXPECT_THAT(next.story().diagnosis(next.now), StartsWith(said));
}

TEST_F(TwinTest, WereToldApartWhileTheServerDidNotRun) {
    load_as(other, 0);
    load_as(own, 10);
    at(60), happen(ReportedUp{});
    ASSERT_THAT(story().diagnosis(now), StartsWith(said));
    BootScript next;
    const Identity first{"pi-01", *MacAddress::parse(own), Serial(0x5b154510), "pi4"};
    next.tracker.set_boards({first, Identity{"pi-02", *MacAddress::parse(other), {}, "pi4"}});
    next.tracker.restore("pi-01", boot(), now);
    EXPECT_EQ(next.story().diagnosis(now), "");
}

TEST(Claims, TheLongestSilentIsForgottenFirst) {
    Claims claims;
    const auto mac = [](std::uint8_t last) { return MacAddress({2, 0, 0, 0, 0, last}); };
    const TimePoint start{std::chrono::hours(1)};
    for (std::uint8_t i = 1; i <= Claims::macs_max + 1; ++i) claims.add(mac(i), start + i * 1s);
    claims.add(mac(2), start + 60s);
    EXPECT_EQ(claims.latest(start), mac(2));
    for (std::uint8_t i = 3; i <= Claims::macs_max + 1; ++i) claims.add(mac(i), start + 61s);
    EXPECT_EQ(claims.other_than(mac(5), start), mac(4));
    for (std::uint8_t i = 3; i <= Claims::macs_max + 1; ++i) {
        claims.forget_if([&](MacAddress one) { return one == mac(i); });
    }
    EXPECT_EQ(claims.latest(start), mac(2));  // mac(1) had to go
    EXPECT_EQ(claims.other_than(mac(2), start), std::nullopt);
    EXPECT_EQ(claims.latest(start + 61s), std::nullopt);
}

}  // namespace
}  // namespace bramble::boards
