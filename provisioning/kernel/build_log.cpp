#include "provisioning/kernel/build_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "config/types/text.hpp"

namespace bramble::kernel {
namespace {

// "  CC [M]  drivers/net/dummy.o" -> "drivers/net/dummy.o"; none for lines that are no step.
std::optional<std::string_view> built_file(std::string_view line) {
    constexpr auto kinds = std::to_array<std::string_view>(
        {"CC",
         "AS",
         "LD",
         "AR",
         "CPP",
         "DTC",
         "OBJCOPY",
         "HOSTCC",
         "GZIP",
         "LZMA",
         "XZKERN",
         "STRIP",
         "INSTALL",
         "MODPOST",
         "KSYMS",
         "BTF",
         "SORTTAB",
         "DTCO",
         "DTOVL"}
    );
    if (!line.starts_with("  ")) return std::nullopt;
    line.remove_prefix(2);
    const std::size_t end = std::min(line.find(' '), line.size());
    if (std::ranges::find(kinds, line.substr(0, end)) == kinds.end()) return std::nullopt;
    return line.substr(line.rfind(' ') + 1);
}

bool tells_failure(std::string_view line) {
    if (line.find(": error: ") != line.npos || line.find("fatal error: ") != line.npos) return true;
    if (line.starts_with("ERROR: ") || line.starts_with("error: ")) return true;
    if (line.find("undefined reference to") != line.npos) return true;
    // make's own: the last of them only says that the one before ended badly.
    return line.starts_with("make") && line.find(" *** ") != line.npos;
}

}  // namespace

std::optional<std::string> BuildProgress::on_line(std::string_view line, Duration elapsed) {
    const auto file = built_file(line);
    if (!file) return std::nullopt;
    ++steps_;
    if (told_ && elapsed - *told_ < interval) return std::nullopt;
    told_ = elapsed;
    return describe_now(*file, elapsed);
}

// An estimate only where there is something to go by: an earlier build, and enough of this one to
// see whether the machine is as fast today.
std::string BuildProgress::describe_now(std::string_view what, Duration elapsed) const {
    constexpr std::uint64_t enough = 50;
    if (!past_ || past_->steps == 0 || steps_ >= past_->steps || steps_ < enough) {
        return fmt::format(
            "{} file{} built in {}: {}", steps_, steps_ == 1 ? "" : "s", describe(elapsed), what
        );
    }
    const std::uint64_t left = past_->steps - steps_;
    const double by_today = static_cast<double>(elapsed.count()) * static_cast<double>(left) /
                            static_cast<double>(steps_);
    const double by_past = static_cast<double>(past_->took.count()) * static_cast<double>(left) /
                           static_cast<double>(past_->steps);
    // What is done says more the more is done.
    const double weight = static_cast<double>(steps_) / static_cast<double>(past_->steps);
    const Duration estimate(static_cast<Duration::rep>(weight * by_today + (1 - weight) * by_past));
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(estimate);
    return fmt::format(
        "{} of about {} files built, about {} left: {}",
        steps_,
        past_->steps,
        describe(seconds),
        what
    );
}

std::string failing_lines(std::string_view log, std::size_t lines_max) {
    std::vector<std::string_view> lines;
    std::optional<std::size_t> failing;
    while (!log.empty()) {
        const std::size_t end = std::min(log.find('\n'), log.size());
        const std::string_view line = log.substr(0, end);
        log.remove_prefix(std::min(end + 1, log.size()));
        if (!failing && tells_failure(line)) failing = lines.size();
        lines.push_back(line);
    }
    constexpr std::size_t before = 2;
    std::size_t begin = lines.size() > lines_max ? lines.size() - lines_max : 0;
    if (failing) begin = *failing > before ? *failing - before : 0;
    std::string text;
    for (std::size_t i = begin; i < lines.size() && i < begin + lines_max; ++i) {
        text += fmt::format("{}{}", text.empty() ? "" : "\n", lines[i]);
    }
    return text;
}

}  // namespace bramble::kernel
