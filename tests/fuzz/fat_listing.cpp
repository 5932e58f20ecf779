// Any octets as a FAT partition: it is refused with a sentence, or its files together are no larger
// than it and each has a name that stays in its directory.
#include "provisioning/image/fat_listing.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::image;
    // Two octets say at which sector the octets after the first 4 KiB lie: FAT32 has 256 KiB before
    // its first cluster. Zeros are everywhere else, as in a sparse file.
    constexpr std::size_t head_bytes = 4096;
    if (size < 2) return 0;
    const std::uint64_t tail_at = (data[0] | data[1] << 8U) * sector_bytes;
    const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::string head = bytes.substr(0, head_bytes);
    const std::string tail = bytes.substr(head.size());
    const Partition partition{1, sector_bytes, 64U << 20U};
    const Disk disk{partition.begin + partition.size, [&](std::uint64_t offset, std::size_t count) {
                        require(offset >= partition.begin);
                        offset -= partition.begin;
                        require(offset <= partition.size && count <= partition.size - offset);
                        std::string read(count, '\0');
                        const auto put = [&](const std::string& piece, std::uint64_t at) {
                            for (std::size_t i = 0; i < piece.size(); ++i) {
                                if (at + i >= offset && at + i < offset + count)
                                    read[at + i - offset] = piece[i];
                            }
                        };
                        put(head, 0);
                        put(tail, tail_at);
                        return bramble::Result<std::string>(read);
                    }};
    const auto listing = list_fat(disk, partition);
    if (!listing) {
        require(listing.error().message.find('\n') == std::string::npos);
        require(listing.error().message.starts_with("its FAT partition "));
        return 0;
    }
    require(listing->size() <= fat_entries_max);
    std::uint64_t total = 0;
    for (const FatEntry& entry : *listing) {
        total += entry.size;
        require(std::count(entry.path.begin(), entry.path.end(), '/') <= fat_depth_max);
        const std::string around = "/" + entry.path + "/";
        require(around.find("//") == std::string::npos);
        require(around.find("/../") == std::string::npos);
    }
    require(total <= partition.size);
    return 0;
}
