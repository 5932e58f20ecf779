#include "services/io/directory_watch.hpp"

#include <fmt/core.h>
#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace bramble::io {
namespace {

// Whether a change of `name` is among the waiting events; reads them all.
bool drain(int fd, const std::string& name) {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    bool seen = false;
    for (;;) {
        const ssize_t count = ::read(fd, buffer.data(), buffer.size());
        if (count <= 0) return seen;
        for (ssize_t at = 0; at < count;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* text = buffer.data() + at + sizeof event;
            // After an overflow anything may have changed.
            if ((event.mask & IN_Q_OVERFLOW) != 0) seen = true;
            if (event.len > 0 && (name.empty() || name == text)) seen = true;
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    }
}

}  // namespace

Result<DirectoryWatch> DirectoryWatch::open(
    Loop& loop,
    const std::filesystem::path& directory,
    std::string name,
    std::function<void()> on_change
) {
    FileDescriptor fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    constexpr std::uint32_t events =
        IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR;
    if (!fd.is_open() || ::inotify_add_watch(fd.get(), directory.c_str(), events) < 0) {
        return fail(fmt::format(
            "cannot watch {} for changes: {}; changes are taken over on SIGHUP only",
            directory.string(),
            std::strerror(errno)
        ));
    }
    Watch watch = loop.watch_readable(
        fd.get(),
        [number = fd.get(), name = std::move(name), on_change = std::move(on_change)] {
            if (drain(number, name)) on_change();
        }
    );
    return DirectoryWatch(std::move(fd), std::move(watch));
}

}  // namespace bramble::io
