#include "services/io/service_manager.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

namespace bramble::io {

void ServiceManager::ready(const std::string& status) const {
    ::sd_notify(0, fmt::format("READY=1\nSTATUS={}", status).c_str());
}

void ServiceManager::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
    ::sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds).c_str());
}

void ServiceManager::stopping() const {
    ::sd_notify(0, "STOPPING=1");
}

void ServiceManager::alive() const {
    ::sd_notify(0, "WATCHDOG=1");
}

std::optional<Duration> ServiceManager::alive_every() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
    return std::chrono::microseconds(microseconds / 2);
}

bool stderr_is_journal() {
    // JOURNAL_STREAM is "device:inode" of the stream that systemd connected (systemd.exec(5)).
    const char* stream = std::getenv("JOURNAL_STREAM");

    struct stat status {};

    if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
    return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

}  // namespace bramble::io
