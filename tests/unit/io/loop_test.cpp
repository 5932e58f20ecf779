#include "services/io/loop.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "services/io/directory_watch.hpp"
#include "services/io/file_descriptor.hpp"

namespace bramble::io {
namespace {

using namespace std::chrono_literals;

// Stops a loop that would otherwise wait for ever for what a test expects.
Timer guard(Loop& loop) {
    Timer timer = loop.make_timer([&loop] {
        ADD_FAILURE() << "nothing happened for 5 s";
        loop.stop();
    });
    timer.expire_at(loop.now() + 5s);
    return timer;
}

TEST(Loop, CallsBackAtTheDeadlineAndNotBefore) {
    Loop loop;
    const Timer limit = guard(loop);
    const TimePoint due = loop.now() + 20ms;
    TimePoint called{};
    Timer timer = loop.make_timer([&] {
        called = loop.now();
        loop.stop();
    });
    timer.expire_at(due);
    loop.run();
    EXPECT_GE(called, due);
}

TEST(Loop, ReplacedAndCancelledDeadlinesStaySilent) {
    Loop loop;
    const Timer limit = guard(loop);
    int calls = 0;
    Timer replaced = loop.make_timer([&] { ++calls; });
    replaced.expire_at(loop.now());
    replaced.expire_at(loop.now() + 10ms);
    Timer cancelled = loop.make_timer([&] { calls += 100; });
    cancelled.expire_at(loop.now());
    cancelled.cancel();
    {
        Timer destroyed = loop.make_timer([&] { calls += 100; });
        destroyed.expire_at(loop.now());
    }
    Timer end = loop.make_timer([&] { loop.stop(); });
    end.expire_at(loop.now() + 40ms);
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST(Loop, CallsBackWhileADescriptorIsReadable) {
    Loop loop;
    const Timer limit = guard(loop);
    const FileDescriptor event(::eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE));
    int calls = 0;
    const Watch watch = loop.watch_readable(event.get(), [&] {
        eventfd_t value = 0;
        ASSERT_EQ(::eventfd_read(event.get(), &value), 0);
        if (++calls == 2) loop.stop();
    });
    loop.run();
    EXPECT_EQ(calls, 2);
}

TEST(Loop, ADestroyedWatchLeavesTheDescriptorOpen) {
    Loop loop;
    const FileDescriptor event(::eventfd(1, EFD_NONBLOCK));
    {
        const Watch watch = loop.watch_readable(event.get(), [] { FAIL(); });
    }
    loop.post([&] { loop.stop(); });
    loop.run();
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(event.get(), &value), 0);
}

TEST(Loop, RunsWhatOtherThreadsPost) {
    Loop loop;
    const Timer limit = guard(loop);
    std::thread other([&loop] { loop.post([&loop] { loop.stop(); }); });
    loop.run();
    other.join();
}

TEST(Loop, HandsSignalsOver) {
    Loop loop;
    const Timer limit = guard(loop);
    std::vector<int> seen;
    loop.on_signals({SIGHUP, SIGUSR1}, [&](int number) {
        seen.push_back(number);
        if (seen.size() == 2) loop.stop();
    });
    ::raise(SIGHUP);
    ::raise(SIGUSR1);
    loop.run();
    EXPECT_EQ(seen, (std::vector{SIGHUP, SIGUSR1}));
}

TEST(Clock, SaysUnixTimeAndNever) {
    const Clock clock;
    const auto unix = std::chrono::system_clock::now().time_since_epoch();
    EXPECT_LT(std::chrono::abs(clock.now().time_since_epoch() - unix), 1s);
    EXPECT_EQ(clock.to_steady(TimePoint::max()), std::chrono::steady_clock::time_point::max());
    const TimePoint now = clock.now();
    EXPECT_EQ(clock.to_time_point(clock.to_steady(now)), now);
}

TEST(DirectoryWatch, SeesALinkReplacedByRenameAndNothingElse) {
    std::string pattern = std::filesystem::temp_directory_path() / "bramble-watch-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    const std::filesystem::path store(pattern);
    Loop loop;
    const Timer limit = guard(loop);
    int calls = 0;
    auto watch = DirectoryWatch::open(loop, store, "current", [&] {
        ++calls;
        loop.stop();
    });
    ASSERT_TRUE(watch) << watch.error().message;
    std::ofstream(store / "state.db") << "written all the time";
    Timer later = loop.make_timer([&] {
        EXPECT_EQ(calls, 0);
        std::filesystem::create_symlink("generations/2", store / "current.new");
        std::filesystem::rename(store / "current.new", store / "current");
    });
    later.expire_at(loop.now() + 20ms);
    loop.run();
    EXPECT_EQ(calls, 1);
    std::filesystem::remove_all(store);
}

TEST(DirectoryWatch, SaysWhatIsLeftWhenItCannotWatch) {
    Loop loop;
    const auto watch = DirectoryWatch::open(loop, "/nowhere/at/all", "current", [] {});
    ASSERT_FALSE(watch);
    EXPECT_EQ(
        watch.error().message,
        "cannot watch /nowhere/at/all for changes: No such file or directory; changes are taken "
        "over on SIGHUP only"
    );
}

}  // namespace
}  // namespace bramble::io
