// Any octets as an initramfs: refused in words, or entries within the bound, which can be
// written again or not, in words too.
#include "provisioning/root/cpio.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::size_t content_max = 1U << 20U;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::root;
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const auto plain = decompress(bytes, content_max);
    require(
        plain ? plain->size() <= content_max || *plain == bytes : !plain.error().message.empty()
    );
    const auto entries = read_cpio(bytes, content_max);
    if (!entries) {
        require(!entries.error().message.empty());
        return 0;
    }
    std::size_t content = 0;
    for (const CpioEntry& entry : *entries)
        if (entry.kind == CpioEntry::Kind::file) content += entry.content.size();
    require(content <= content_max);
    const auto written = write_cpio_gzip(*entries);
    require(written ? !written->empty() : !written.error().message.empty());
    return 0;
}
