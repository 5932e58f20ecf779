// What the watchdog sees of a worker: it turns, idle or not, until something holds it.
#include "services/io/tftp_worker.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <atomic>
#include <filesystem>

#include "services/io/loop.hpp"

namespace bramble::io {
namespace {

using namespace std::chrono_literals;

constexpr Duration long_enough = 3s;  // an idle worker turns once a second

// Whether `worker` turns again within `long_enough`.
bool turns(const TftpWorker& worker) {
    const std::uint64_t before = worker.turns();
    for (Duration waited = 0s; waited < long_enough; waited += 10ms) {
        if (worker.turns() != before) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

TEST(TftpWorker, TurnsWhileItIsIdleAndStopsWhenItIsHeld) {
    UdpSocketOptions options;
    options.address = Ipv4Address(std::array<std::uint8_t, 4>{127, 0, 0, 1});
    auto socket = open_udp_socket(options);
    ASSERT_TRUE(socket);
    const Catalog catalog;
    ContentCache cache(layout::StorePaths(std::filesystem::temp_directory_path()));
    const FileDescriptor door(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    std::atomic<bool> held{false};
    std::atomic<bool> release{false};
    const Loop loop;

    TftpWorker worker(std::move(*socket), tftp::Settings{}, catalog, cache);
    worker.start(
        loop.clock(),
        door.get(),
        [&] {
            held = true;
            while (!release) std::this_thread::sleep_for(1ms);
            eventfd_t ignored = 0;
            ::eventfd_read(door.get(), &ignored);
        },
        [] {}
    );
    EXPECT_TRUE(turns(worker)) << "idle";
    ::eventfd_write(door.get(), 1);
    while (!held) std::this_thread::sleep_for(1ms);
    EXPECT_FALSE(turns(worker)) << "held in a callback";
    release = true;
    EXPECT_TRUE(turns(worker)) << "free again";
}

}  // namespace
}  // namespace bramble::io
