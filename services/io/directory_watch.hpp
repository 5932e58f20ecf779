// Tells when a name in a directory is replaced: `current` in the store, which is how a generation
// is published, and the fleet file. It refuses to read what has changed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "config/types/result.hpp"
#include "services/io/file_descriptor.hpp"
#include "services/io/loop.hpp"

namespace bramble::io {

// Watches one directory for an entry that appears, is written, replaced or removed under `name`; an
// empty name stands for any.
class DirectoryWatch {
public:
    // Errors: the directory is not there, or the machine has no inotify watch left.
    [[nodiscard]] static Result<DirectoryWatch> open(
        Loop& loop,
        const std::filesystem::path& directory,
        std::string name,
        std::function<void()> on_change
    );

private:
    DirectoryWatch(FileDescriptor fd, Watch watch) : fd_(std::move(fd)), watch_(std::move(watch)) {}

    FileDescriptor fd_;
    Watch watch_;
};

}  // namespace bramble::io
