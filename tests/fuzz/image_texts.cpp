// Any octets as what an image's root holds and its programs say: its fstab, the header of a
// program, the output of a command.
#include <cstdint>
#include <cstdlib>
#include <sstream>

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
    return 0;
}
