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

// Paths as long as an archive's, out of a few bytes.
std::string grown(const std::string& text) {
    std::string path;
    for (const char c : text) {
        if (c == '~') {
            for (int i = 0; i < 1000; ++i) path += "x/";
        } else if (c == '^') {
            path.append(1000, 'x');
        } else {
            path += c;
        }
    }
    return path;
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
    constexpr std::size_t links_max = 16;
    for (const std::string& line : lines) {
        const auto blank = line.find(' ');
        if (blank == line.npos || initramfs.links.size() == links_max) continue;
        initramfs.links[grown(line.substr(0, blank))] = grown(line.substr(blank + 1));
    }
    require(!boot::has_program(initramfs, text));
    for (const auto& [path, target] : initramfs.links) {
        require(!boot::has_program(initramfs, path));
    }
    return 0;
}
