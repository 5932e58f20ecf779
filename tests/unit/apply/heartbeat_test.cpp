#include "provisioning/apply/heartbeat.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace bramble::apply {
namespace {

using namespace std::chrono_literals;

TEST(Heartbeat, BeatsWhileSomethingIsSilent) {
    std::atomic<int> beats = 0;
    Heartbeat heartbeat(
        [&](std::chrono::milliseconds since) {
            EXPECT_GE(since, 5ms);
            ++beats;
        },
        5ms
    );
    heartbeat.begin();
    while (beats < 3) std::this_thread::sleep_for(1ms);
    heartbeat.end();
    const int after = beats;
    std::this_thread::sleep_for(30ms);
    EXPECT_EQ(beats, after);
}

TEST(Heartbeat, IsSilentAboutWhatSpeaksForItselfAndAboutWhatIsOver) {
    std::atomic<int> beats = 0;
    Heartbeat heartbeat([&](std::chrono::milliseconds) { ++beats; }, 10s);
    heartbeat.begin();
    heartbeat.heard();
    heartbeat.end();
    EXPECT_EQ(beats, 0);
}

TEST(Heartbeat, CanBeginAgain) {
    std::atomic<int> beats = 0;
    Heartbeat heartbeat([&](std::chrono::milliseconds) { ++beats; }, 1ms);
    for (int i = 1; i <= 3; ++i) {
        heartbeat.begin();
        while (beats < i) std::this_thread::sleep_for(1ms);
        heartbeat.end();
    }
    EXPECT_GE(beats, 3);
}

}  // namespace
}  // namespace bramble::apply
