#include "provisioning/host/host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bramble::host {
namespace {

constexpr std::size_t lines_quoted_max = 12;

std::string_view last_lines(std::string_view text, std::size_t count) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    std::size_t begin = text.size();
    for (std::size_t i = 0; i < count && begin != 0; ++i) {
        const std::size_t newline = text.rfind('\n', begin - 1);
        begin = newline == std::string_view::npos ? 0 : newline;
        if (begin == 0) return text;
    }
    return text.substr(begin == text.size() ? begin : begin + 1);
}

}  // namespace

Result<CommandOutcome> run_or_fail(Host& host, const Command& command) {
    Result<CommandOutcome> outcome = host.run(command);
    if (!outcome || outcome->exit_code == 0) return outcome;
    const std::string_view said = outcome->errors.empty() ? outcome->output : outcome->errors;
    return fail(fmt::format(
        "'{}' ended with exit code {}{}{}",
        fmt::join(command.argv, " "),
        outcome->exit_code,
        said.empty() ? "" : ":\n",
        last_lines(said, lines_quoted_max)
    ));
}

}  // namespace bramble::host
