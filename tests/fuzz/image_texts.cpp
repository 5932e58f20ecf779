// Any octets as what an image's root holds and its programs say: its fstab, the header of a
// program, the output of a command, a kernel and its configuration.
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "provisioning/boot/file_facts.hpp"
#include "provisioning/image/first_boot.hpp"
#include "provisioning/image/inside.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::image;
    const std::string text(reinterpret_cast<const char*>(data), size);
    std::size_t gone = 0;
    const std::string kept = fstab_without_card(text, gone);
    require(kept.size() <= text.size() + 1);
    std::size_t more = 0;
    require(fstab_without_card(kept, more) == kept && more == 0);
    if (const auto processor = processor_of(text)) require(!processor->emulator.empty());
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    require(from_failing_line(lines).size() <= text.size());
    namespace boot = bramble::boot;
    require(boot::embedded_configuration(text).size() <= text.size());
    boot::KernelFacts kernel = boot::read_kernel(text).value_or(boot::KernelFacts{});
    boot::add_configuration(kernel, text);
    for (const std::string& version : kernel.nfs_versions) {
        require(kernel.nfs_modules.contains(version));
    }
    boot::InitramfsFacts initramfs;
    for (const std::string& line : lines) {
        const auto blank = line.find(' ');
        if (blank != line.npos) initramfs.links[line.substr(0, blank)] = line.substr(blank + 1);
    }
    require(!boot::has_program(initramfs, text));
    return 0;
}
