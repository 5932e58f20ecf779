// The doorman: lists of calls, and what each board is told.
#include "services/admission/doorman.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bramble::admission {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr TimePoint at(Duration d) {
    return TimePoint(d);
}

const std::vector<PlannedFile> boot_files = {
    {"config.txt", 500},
    {"start4.elf", 2'300'000},
    {"kernel8.img", 9'000'000},
    {"initramfs8", 12'000'000},
    {"bcm2711-rpi-4-b.dtb", 56'000}};

// Room for `places` boards of these files.
Settings room_for(unsigned places) {
    Settings settings;
    settings.board_bytes_per_second = 4'000'000;
    settings.fill = 1;
    settings.link_bytes_per_second = 4'000'000ULL * places;
    return settings;
}

BootRequest request(const std::string& board, const std::string& group = "") {
    return {board, group, boot_files};
}

TEST(DoormanTest, APlaceIsFreeWhenTheLastLargeFileHasArrived) {
    Doorman doorman(room_for(1));
    EXPECT_TRUE(doorman.ask(request("a"), at(0s)).admitted());
    EXPECT_EQ(doorman.ask(request("b"), at(0s)).waiting->position, 1U);
    for (const char* path : {"config.txt", "start4.elf", "initramfs8"}) {
        doorman.on_complete("a", path);
        EXPECT_EQ(doorman.poll(at(1s)), Names{}) << path;
    }
    doorman.on_complete("a", "kernel8.img");  // the device tree is still to come
    EXPECT_EQ(doorman.poll(at(2s)), Names{"b"});
    doorman.on_progress("a", 56'000, at(3s));
    EXPECT_EQ(doorman.status(at(3s)).inside, 1U);
}

TEST(DoormanTest, ALargeFileIsOnlyDoneWhenItHasArrivedWhole) {
    Doorman doorman(room_for(1));
    doorman.ask(request("a"), at(0s));
    doorman.ask(request("b"), at(0s));
    for (int second = 1; second < 40; ++second) {
        doorman.on_progress("a", 500'000, at(second * 1s));
        if (second % 16 == 0) doorman.ask(request("b"), at(second * 1s));
        ASSERT_EQ(doorman.poll(at(second * 1s)), Names{}) << second;
    }
}

TEST(DoormanTest, WhoRunsItsKernelIsDone) {
    Doorman doorman(room_for(1));
    doorman.ask({"a", "", {}}, at(0s));  // its files are not known
    doorman.ask(request("b"), at(0s));
    doorman.on_progress("a", 20'000'000, at(1s));
    doorman.on_system("a");
    EXPECT_EQ(doorman.poll(at(2s)), Names{"b"});
}

TEST(DoormanTest, AWaitingBoardThatRunsAKernelBootedFromElsewhere) {
    Doorman doorman(room_for(1));
    doorman.ask(request("a"), at(0s));
    doorman.ask(request("b"), at(0s));
    doorman.on_system("b");
    EXPECT_EQ(doorman.waiting_place("b", at(1s)), std::nullopt);
    EXPECT_EQ(doorman.status(at(1s)).waiting.size(), 0U);
}

TEST(DoormanTest, AFileOfTheBootBeforeDoesNotTakeAQueuedBoardsTurn) {
    Doorman doorman(room_for(1));
    doorman.ask(request("a"), at(0s));
    doorman.ask(request("b"), at(0s));
    for (const PlannedFile& file : boot_files) doorman.on_complete("b", file.path);
    EXPECT_EQ(doorman.waiting_place("b", at(1s))->position, 1U);
}

TEST(DoormanTest, ASecondAskBeginsTheFilesAnew) {
    Doorman doorman(room_for(1));
    doorman.ask(request("a"), at(0s));
    doorman.on_complete("a", "start4.elf");
    doorman.on_complete("a", "kernel8.img");
    EXPECT_TRUE(doorman.ask(request("a"), at(5s)).admitted());  // it was reset
    doorman.ask(request("b"), at(5s));
    doorman.on_complete("a", "initramfs8");
    EXPECT_EQ(doorman.poll(at(6s)), Names{});
}

TEST(DoormanTest, ABoardOfAnotherGroupPassesAFullGroupAtOnce) {
    Settings settings = room_for(4);
    settings.group_max = 1;
    Doorman doorman(settings);
    EXPECT_TRUE(doorman.ask(request("a1", "rack-a"), at(0s)).admitted());
    EXPECT_FALSE(doorman.ask(request("a2", "rack-a"), at(0s)).admitted());
    EXPECT_TRUE(doorman.ask(request("b1", "rack-b"), at(0s)).admitted());
    EXPECT_EQ(doorman.poll(at(0s)), Names{});  // who was told so by ask() is not named again
}

TEST(DoormanTest, WhoseTurnComesWhileAnotherAsksIsNamedByTheNextPoll) {
    Doorman doorman(room_for(1));
    doorman.ask(request("a"), at(0s));
    doorman.ask(request("b"), at(0s));
    EXPECT_FALSE(doorman.ask(request("c"), at(15s)).admitted());  // a was silent: b's turn
    EXPECT_LE(*doorman.next_deadline(), at(15s));
    EXPECT_EQ(doorman.poll(at(15s)), Names{"b"});
    EXPECT_EQ(doorman.poll(at(15s)), Names{});
}

TEST(DoormanTest, WhileSomebodyWaitsItWantsToBePolledEachSecond) {
    Doorman doorman(room_for(1));
    EXPECT_EQ(doorman.next_deadline(), std::nullopt);
    doorman.ask(request("a"), at(0s));
    doorman.poll(at(0s));
    EXPECT_EQ(doorman.next_deadline(), at(15s));
    doorman.ask(request("b"), at(1s));
    doorman.poll(at(1s));
    EXPECT_EQ(doorman.next_deadline(), at(2s));
}

TEST(DoormanTest, ASlowerLinkThanConfiguredLetsFewerBoardsIn) {
    Settings settings;  // 1 Gb/s, says the fleet file; it is 100 Mb/s
    Doorman doorman(settings);
    int inside = 0;
    while (doorman.ask(request(fmt::format("pi-{}", inside)), at(0s)).admitted()) ++inside;
    for (int tick = 1; tick <= 300; ++tick) {
        const TimePoint now = at(tick * 200ms);
        for (int n = 0; n < inside; ++n) {
            doorman.on_progress(fmt::format("pi-{}", n), 11'900'000ULL / inside / 5, now);
        }
        doorman.poll(now);
    }
    const Status status = doorman.status(at(60s));
    EXPECT_LT(status.link_bytes_per_second, 40'000'000U);
    EXPECT_LT(status.capacity, static_cast<std::size_t>(inside) / 2);
}

// A thousand boards at once: each board that is inside takes its share; all come to their end, in
// the order in which they asked, and none waits longer than the link made it.
TEST(DoormanTest, AThousandBoardsComeThroughInOrder) {
    constexpr int boards = 1000;
    constexpr std::uint64_t bytes = 23'356'500;
    Doorman doorman(Settings{});
    std::vector<std::pair<int, std::uint64_t>> inside;
    for (int n = 0; n < boards; ++n) {
        if (doorman.ask(request(fmt::format("pi-{}", n)), at(0s)).admitted()) {
            inside.emplace_back(n, 0);
        }
    }
    int done = 0;
    int next = static_cast<int>(inside.size());
    TimePoint now = at(0s);
    while (done < boards && now < at(600s)) {
        now += 200ms;
        const std::uint64_t share =
            std::min<std::uint64_t>(
                119'000'000 / std::max<std::size_t>(inside.size(), 1), 4'800'000
            ) /
            5;
        for (auto& [n, carried] : inside) {
            carried += share;
            doorman.on_progress(fmt::format("pi-{}", n), share, now);
            if (carried < bytes) continue;
            for (const PlannedFile& file : boot_files) {
                doorman.on_complete(fmt::format("pi-{}", n), file.path);
            }
            ++done;
        }
        std::erase_if(inside, [&](const auto& board) { return board.second >= bytes; });
        if ((now - at(0s)) % 16s == 0s) {
            for (int n = next; n < boards; ++n) doorman.ask(request(fmt::format("pi-{}", n)), now);
        }
        for (const std::string& board : doorman.poll(now)) {
            ASSERT_EQ(board, fmt::format("pi-{}", next));
            inside.emplace_back(next++, 0);
        }
    }
    EXPECT_EQ(done, boards);
    const double floor_s = boards * static_cast<double>(bytes) / 119e6;
    EXPECT_LT(std::chrono::duration<double>(now - at(0s)).count(), 1.1 * floor_s);
    EXPECT_EQ(doorman.counters().expired, 0U);
}

}  // namespace
}  // namespace bramble::admission
