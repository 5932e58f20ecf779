// How the last apply ended, as it leaves word of itself in the store for the services to show. It
// refuses to know what its steps were.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "config/layout/store_paths.hpp"
#include "config/types/result.hpp"
#include "config/types/time_point.hpp"

namespace bramble::layout {

struct ApplyRecord {
    bool succeeded = false;
    TimePoint ended{};  // whole milliseconds are kept, of `took` too
    Duration took{};
    std::uint64_t steps = 0;
    std::uint64_t steps_done = 0;
    std::uint64_t warnings = 0;

    friend bool operator==(const ApplyRecord&, const ApplyRecord&) = default;
};

inline std::filesystem::path apply_record_path(const StorePaths& store) {
    return store.store() / "last-apply.json";
}

std::string write_apply_record(const ApplyRecord& record);

// Never throws, any input. Errors name the field.
[[nodiscard]] Result<ApplyRecord> parse_apply_record(std::string_view text);

}  // namespace bramble::layout
