#include "services/io/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "services/io/file_descriptor.hpp"

namespace bramble::io {

Result<MappedFile> MappedFile::open(
    const std::filesystem::path& path, std::uint64_t expected_bytes
) {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd.is_open()) {
        return fail(fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
    }

    struct stat status {};

    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return fail(fmt::format("{} is not a regular file", path.string()));
    }
    if (static_cast<std::uint64_t>(status.st_size) != expected_bytes) {
        return fail(fmt::format(
            "{} has {} bytes, its manifest says {}: the store is damaged; remove that file and run "
            "`bramble apply`",
            path.string(),
            status.st_size,
            expected_bytes
        ));
    }
    if (expected_bytes == 0) return MappedFile({});
    void* address = ::mmap(
        nullptr, static_cast<std::size_t>(expected_bytes), PROT_READ, MAP_SHARED, fd.get(), 0
    );
    if (address == MAP_FAILED) {
        return fail(fmt::format("cannot map {}: {}", path.string(), std::strerror(errno)));
    }
    const auto size = static_cast<std::size_t>(expected_bytes);
    ::madvise(address, size, MADV_WILLNEED);  // boards want all of it, soon, from the start on
    return MappedFile({static_cast<const std::byte*>(address), size});
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, std::span<const std::byte>{})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

}  // namespace bramble::io
