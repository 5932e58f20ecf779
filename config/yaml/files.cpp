#include "config/yaml/files.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

namespace bramble::yaml {

Result<std::string> DiskFiles::read(const std::filesystem::path& file, std::size_t bytes_max) {
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (error) return fail(error.message());
    // A fifo or a device would wait or never end.
    if (!std::filesystem::is_regular_file(status)) return fail("it is not a regular file");
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return fail(std::generic_category().message(errno));
    std::string text;
    std::array<char, 16384> piece;
    while (stream && text.size() <= bytes_max) {
        stream.read(piece.data(), piece.size());
        text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    }
    if (stream.bad()) return fail("it cannot be read to its end");
    if (text.size() > bytes_max) return fail(fmt::format("it is longer than {} bytes", bytes_max));
    return text;
}

Result<std::vector<std::string>> DiskFiles::list(const std::filesystem::path& directory) {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(directory, error);
    const std::filesystem::directory_iterator end;
    while (!error && entry != end) {
        names.push_back(entry->path().filename().string());
        entry.increment(error);
    }
    if (error) return fail(error.message());
    return names;
}

std::filesystem::path DiskFiles::current_directory() {
    std::error_code error;
    auto here = std::filesystem::current_path(error);
    return error ? std::filesystem::path("/") : here;
}

bool matches(std::string_view pattern, std::string_view name) {
    if (name.starts_with('.') && !pattern.starts_with('.')) return false;
    // On a mismatch the latest star takes one more character; earlier stars need no second thought.
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_name = 0;
    for (std::size_t n = 0; n < name.size();) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_name = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++star_name;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace bramble::yaml
