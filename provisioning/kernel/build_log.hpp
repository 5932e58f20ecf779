// What make prints while a kernel is built: how far it is, how long it may take, and where it went
// wrong. It refuses to know who runs it and what time it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/types/time_point.hpp"

namespace bramble::kernel {

// How long an earlier build of the same kernel took.
struct PastBuild {
    std::uint64_t steps = 0;
    Duration took{};
};

class BuildProgress {
public:
    static constexpr Duration interval = std::chrono::seconds(5);  // between two lines

    explicit BuildProgress(std::optional<PastBuild> past) : past_(past) {}

    // One line of output, `elapsed` after the start. Gives a line worth showing now and then.
    std::optional<std::string> on_line(std::string_view line, Duration elapsed);

    std::uint64_t steps() const { return steps_; }  // files compiled, assembled, linked

private:
    std::string describe_now(std::string_view what, Duration elapsed) const;

    std::optional<PastBuild> past_;
    std::uint64_t steps_ = 0;
    std::optional<Duration> told_;
};

// The first line of a log that says what went wrong, with what stands around it, at most
// `lines_max` lines; the last lines when none does.
std::string failing_lines(std::string_view log, std::size_t lines_max = 16);

}  // namespace bramble::kernel
