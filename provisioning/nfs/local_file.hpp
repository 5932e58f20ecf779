// A file of this machine, open for reading. Of this room only.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace bramble::nfs {

struct OpenFile {
    int fd = -1;

    explicit OpenFile(const std::filesystem::path& path)
        : fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) {}

    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    ~OpenFile() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace bramble::nfs
