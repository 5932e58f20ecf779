// Any octets as an initramfs: refused in words, or entries that are written and read back the same.
#include "provisioning/root/cpio.hpp"

#include <cstdint>
#include <cstdlib>
#include <set>

namespace {

constexpr std::size_t content_max = 1U << 20U;

void require(bool holds) {
    if (!holds) std::abort();
}

bool can_be_written(const std::vector<bramble::root::CpioEntry>& entries) {
    std::set<std::string>
        paths;  // which of two entries of one name is the first is nobody's business
    for (const auto& entry : entries)
        if (entry.path.empty() || !paths.insert(entry.path).second) return false;
    return true;
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
    if (!can_be_written(*entries)) return 0;
    const auto written = write_cpio_gzip(*entries);
    if (!written) return 0;  // a name or a number that the format cannot hold
    const auto again = read_cpio(*written, content_max);
    require(again && again->size() == entries->size());
    require(write_cpio_gzip(*again) == *written);
    return 0;
}
