// The seam to the files that a fleet is read from, so that tests hold them in memory. It refuses to
// know what is in them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.hpp"

namespace bramble::yaml {

class FileReader {
public:
    virtual ~FileReader() = default;

    // The bytes of a regular file. Errors: it cannot be opened or read, it is no regular file, it
    // is longer than `bytes_max`.
    [[nodiscard]] virtual Result<std::string> read(
        const std::filesystem::path& file, std::size_t bytes_max
    ) = 0;

    // Names of the entries of a directory, in any order. Errors: it cannot be opened or read.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(
        const std::filesystem::path& directory
    ) = 0;

    // What relative paths on the command line begin in.
    virtual std::filesystem::path current_directory() = 0;
};

// The machine's own files.
class DiskFiles : public FileReader {
public:
    [[nodiscard]] Result<std::string> read(const std::filesystem::path& file, std::size_t bytes_max)
        override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::filesystem::path& directory
    ) override;
    std::filesystem::path current_directory() override;
};

// Whether `name` fits `pattern`, in which '*' stands for any text and '?' for one character. A name
// that begins with a dot fits only a pattern that does.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace bramble::yaml
