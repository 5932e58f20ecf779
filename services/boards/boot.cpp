#include "services/boards/boot.hpp"

#include <algorithm>

namespace bramble::boards {

std::string_view to_string(Phase phase) {
    constexpr std::array<std::string_view, phase_count> names = {
        "address", "firmware", "config", "kernel", "root", "userspace"};
    return names[static_cast<std::size_t>(phase)];
}

std::string_view to_string(BootState state) {
    switch (state) {
        case BootState::running:
            return "booting";
        case BootState::waiting:
            return "waiting";
        case BootState::stuck:
            return "stuck";
        case BootState::up:
            return "up";
        case BootState::superseded:
            return "superseded";
        case BootState::abandoned:
            return "abandoned";
    }
    return "";
}

std::optional<Duration> Boot::duration(Phase of) const {
    const auto index = static_cast<std::size_t>(of);
    if (!entered[index]) return std::nullopt;
    for (std::size_t later = index + 1; later < phase_count; ++later) {
        if (entered[later]) return *entered[later] - *entered[index];
    }
    return ended.value_or(last_event) - *entered[index];
}

std::uint64_t Boot::bytes_loaded() const {
    std::uint64_t bytes = 0;
    for (const FileRecord& file : files) bytes += file.bytes * file.loads;
    return bytes;
}

const FileRecord* Boot::find_file(std::string_view path) const {
    const auto found = std::find_if(files.begin(), files.end(), [&](const FileRecord& file) {
        return file.path == path;
    });
    return found == files.end() ? nullptr : &*found;
}

}  // namespace bramble::boards
