// A whole file in memory by mapping, read-only. It refuses to know whose file it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "config/types/result.hpp"

namespace bramble::io {

class MappedFile {
public:
    // Errors: not a regular file, not readable, or its size is not `expected_bytes`. Store objects
    // are written once and never change, so a size that differs is a damaged store: refusing it
    // here is what keeps a shortened file from being read past its end later (SIGBUS).
    [[nodiscard]] static Result<MappedFile> open(
        const std::filesystem::path& path, std::uint64_t expected_bytes
    );

    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;

    std::span<const std::byte> bytes() const { return bytes_; }

private:
    explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::span<const std::byte> bytes_;
};

}  // namespace bramble::io
