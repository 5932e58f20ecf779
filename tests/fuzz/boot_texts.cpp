// Any octets as the texts and the kernel of a boot tree: the first octet says as what. Whatever
// they are, the firmware's rules end, and what comes out is within the bounds that are named.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "services/bytes/byte_reader.hpp"
#include "services/rehearsal/kernel_image.hpp"
#include "services/rehearsal/root_check.hpp"
#include "services/virtual_board/config_txt.hpp"
#include "services/virtual_board/kernel_cmdline.hpp"

namespace bramble {
namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

// The text includes itself under every name.
void check_config(std::string_view text) {
    using namespace virtual_board;
    unsigned asked = 0;
    const FilterFacts facts{.serial = Serial(0x5b154510)};
    const auto own = [&](std::string_view) {
        ++asked;
        return std::optional(std::string(text));
    };
    const ConfigTxt config = evaluate_config(text, facts, own);
    require(asked <= config_include_reads_max);
    require(config.includes.size() <= config_includes_max);
    for (const std::string& name : config.includes) {
        require(!name.empty() && name.size() <= config_include_chars_max);
    }
    for (const std::string& name : config.overlays) {
        require(name.size() <= config_line_chars_max && name.find(',') == std::string::npos);
    }
    if (!config_is_taken(text)) require(!config.kernel && config.overlays.empty());
    require(evaluate_config(text, facts).includes.empty());
}

void check_cmdline(std::string_view text) {
    using namespace virtual_board;
    const auto boot = parse_cmdline(text);
    if (!boot) return;
    require(boot->cmdline.size() < cmdline_bytes_max);
    require(boot->cmdline.find('\n') == std::string::npos);
    require(boot->root.options.size() <= nfsroot_options_bytes_max);
    const auto klibc = check_mount_options(boot->root, true, InitramfsMount::klibc);
    if (klibc) require(boot->root.version == "2" || boot->root.version == "3");
}

void check_kernel(std::string_view bytes) {
    using namespace rehearsal;
    const KernelFacts facts = read_kernel(bytes);
    require(facts.release.size() <= release_bytes_max);
    if (facts.width == KernelWidth::unknown) require(facts.release.empty());
}

void check_fstab(std::string_view text) {
    rehearsal::Report report;
    rehearsal::check_fstab(text, report);
    require(report.boots());
    require(report.findings.size() <= rehearsal::fstab_lines_max);
}

}  // namespace
}  // namespace bramble

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    bramble::ByteReader reader(std::as_bytes(std::span(data + 1, size - 1)));
    const std::string_view text = reader.rest_as_text();
    switch (data[0]) {
        case 'c':
            bramble::check_config(text);
            break;
        case 'l':
            bramble::check_cmdline(text);
            break;
        case 'k':
            bramble::check_kernel(text);
            break;
        case 'f':
            bramble::check_fstab(text);
            break;
        default:
            break;
    }
    return 0;
}
