// The wheel against a plain list of deadlines, and its promises one by one.
#include "services/tftp/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace bramble::tftp {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint start{std::chrono::hours(24 * 365 * 50)};

std::vector<Slot> due(TimerWheel& wheel, TimePoint now) {
    std::vector<Slot> slots;
    wheel.advance(now, [&](Slot slot) { slots.push_back(slot); });
    return slots;
}

TEST(TimerWheelTest, ReportsADeadlineNeverEarlyAndAtMostOneTickLate) {
    TimerWheel wheel;
    wheel.arm(7, start + 1500us, start);
    EXPECT_TRUE(due(wheel, start + 1499us).empty());
    EXPECT_TRUE(due(wheel, start + 1500us).empty());
    EXPECT_EQ(due(wheel, start + 2ms), std::vector<Slot>{7});
    EXPECT_EQ(wheel.armed(), 0U);
    EXPECT_FALSE(wheel.next());
}

TEST(TimerWheelTest, ALaterDeadlineWaitsForItsOwnTick) {
    TimerWheel wheel;
    wheel.arm(0, start + 10ms, start);
    wheel.arm(0, start + 500ms, start + 5ms);
    EXPECT_TRUE(due(wheel, start + 499ms).empty());
    EXPECT_EQ(due(wheel, start + 500ms), std::vector<Slot>{0});
}

TEST(TimerWheelTest, AnEarlierDeadlineMovesForward) {
    TimerWheel wheel;
    wheel.arm(0, start + 3s, start);
    wheel.arm(0, start + 20ms, start);
    EXPECT_EQ(wheel.next(), start + 20ms);
    EXPECT_EQ(due(wheel, start + 20ms), std::vector<Slot>{0});
}

TEST(TimerWheelTest, ADeadlineBeyondTheRingGoesRoundMoreThanOnce) {
    TimerWheel wheel;
    wheel.arm(0, start + 30s, start);
    for (auto now = start; now < start + 30s; now += 100ms) EXPECT_TRUE(due(wheel, now).empty());
    EXPECT_EQ(due(wheel, start + 30s), std::vector<Slot>{0});
}

TEST(TimerWheelTest, ADroppedDeadlineIsNotReported) {
    TimerWheel wheel;
    wheel.arm(0, start + 1s, start);
    wheel.arm(1, start + 1s, start);
    wheel.disarm(0);
    wheel.disarm(0);
    wheel.disarm(99);
    EXPECT_EQ(due(wheel, start + 2s), std::vector<Slot>{1});
}

TEST(TimerWheelTest, OneThatArmsItselfAgainInThePastComesBackAtTheNextTick) {
    TimerWheel wheel;
    wheel.arm(0, start + 1ms, start);
    int count = 0;
    wheel.advance(start + 10ms, [&](Slot slot) {
        ++count;
        wheel.arm(slot, start, start + 10ms);
    });
    EXPECT_LE(count, 11);  // it ends: each time lies in a later tick
    EXPECT_EQ(wheel.armed(), 1U);
}

TEST(TimerWheelTest, AgreesWithAPlainListOfDeadlines) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::mt19937 random(seed);
        TimerWheel wheel;
        std::map<Slot, TimePoint> list;
        TimePoint now = start;
        for (int step = 0; step < 4000; ++step) {
            const auto slot = static_cast<Slot>(random() % 50);
            if (random() % 5 == 0) {
                wheel.disarm(slot);
                list.erase(slot);
            } else {
                const auto deadline = now + std::chrono::microseconds(random() % 9'000'000);
                wheel.arm(slot, deadline, now);
                list[slot] = deadline;
            }
            now += std::chrono::microseconds(random() % 40'000);
            for (const Slot fired : due(wheel, now)) {
                ASSERT_TRUE(list.contains(fired)) << "seed " << seed;
                ASSERT_LE(list[fired], now) << "seed " << seed;
                list.erase(fired);
            }
            for (const auto& [waiting, deadline] : list) {
                ASSERT_GT(deadline + TimerWheel::tick, now) << "seed " << seed << " " << waiting;
            }
            ASSERT_EQ(wheel.armed(), list.size());
            const auto next = wheel.next();
            ASSERT_EQ(next.has_value(), !list.empty());
            for (const auto& [waiting, deadline] : list) {
                ASSERT_LE(*next, deadline + TimerWheel::tick) << waiting;
            }
        }
    }
}

}  // namespace
}  // namespace bramble::tftp
