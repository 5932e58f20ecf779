// Any octets as the first sectors of a disk: the table is refused, or its partitions lie within the
// disk, one after the other.
#include "provisioning/image/partition_table.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bramble::image;
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    // Zeros follow, as in a sparse file.
    const Disk disk{1U << 20U, [&](std::uint64_t offset, std::size_t count) {
                        require(offset <= disk.size && count <= disk.size - offset);
                        std::string read =
                            offset < bytes.size() ? bytes.substr(offset, count) : std::string();
                        read.resize(count, '\0');
                        return bramble::Result<std::string>(read);
                    }};
    const auto partitions = read_partitions(disk);
    if (!partitions) {
        require(!partitions.error().message.empty());
        return 0;
    }
    require(partitions->size() <= partitions_max);
    std::uint64_t end = 1;
    for (const Partition& partition : *partitions) {
        require(partition.begin >= end && partition.size > 0);
        end = partition.begin + partition.size;
        require(end <= disk.size);
        require(filesystem_of(disk, partition).has_value());
    }
    return 0;
}
