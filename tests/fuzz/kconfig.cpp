// Any text as a Kconfig file, which may name itself, and each of its lines as an expression: read
// to the end in bounded time, and a part that says no is told only of an expression that says no.
#include "provisioning/kernel/kconfig.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::kernel;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Options options = {{"A", "y"}, {"B", "m"}, {"C", "n"}, {"D", "\"text\""}, {"E", "16"}};
    int files = 0;
    const auto reader = [&](const std::string&) -> std::optional<std::string> {
        if (++files > 64) return std::nullopt;
        return std::string(text);
    };
    const Kconfig kconfig = Kconfig::read(reader, {"A", "B", "C"}, {{"SRCARCH", "arm64"}});
    for (const char* name : {"A", "B", "C"}) {
        for (const char* asked : {"y", "m", "n"}) {
            if (explain({name, {asked, "options"}, "n"}, kconfig, options).empty()) std::abort();
        }
    }
    const std::string_view line = text.substr(0, text.find('\n'));
    const auto value = evaluate(line, options);
    const auto unmet = unmet_parts(line, options, Tristate::yes);
    if (value == Tristate::yes && !unmet.empty()) std::abort();
    if (value == Tristate::no && symbols_in(line).size() > size) std::abort();
    return 0;
}
