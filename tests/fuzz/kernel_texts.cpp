// Any text as a .config, a lock file, a package's stanza and a build's log: refused or read, and
// what is read is written and read back as the same value.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "provisioning/kernel/build_log.hpp"
#include "provisioning/kernel/configuration.hpp"
#include "provisioning/kernel/debian_package.hpp"
#include "provisioning/kernel/pins.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::kernel;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto options = parse_configuration(text)) {
        const auto again = parse_configuration(write_configuration(*options));
        if (!again || *again != *options) std::abort();
        Asking asking;
        for (const auto& [name, value] : *options) asking[name] = Asked{value, "options"};
        if (!lost(asking, *options).empty()) std::abort();
    }
    const std::string written = written_value(text);
    if (text.find('\n') == text.npos && text.find('\r') == text.npos && size < 1000) {
        const auto one = parse_configuration("CONFIG_A=" + written + "\n");
        if (!one || value_of(*one, "A") != written) std::abort();
    }
    if (const auto pins = parse_lock_file(text)) {
        const auto again = parse_lock_file(write_lock_file(*pins));
        if (!again || *again != *pins) std::abort();
    }
    if (const auto facts = parse_package(text); facts && facts->name.empty()) std::abort();
    if (failing_lines(text, 4).size() > size) std::abort();
    BuildProgress progress(PastBuild{100, std::chrono::seconds(100)});
    (void)progress.on_line(text.substr(0, text.find('\n')), std::chrono::seconds(1));
    return 0;
}
