#include "provisioning/image/fat_geometry.hpp"

#include <fmt/format.h>

#include "provisioning/image/little_endian.hpp"

namespace bramble::image {
namespace {

unsigned bits_for(std::uint64_t clusters) {
    constexpr std::uint64_t clusters_of_16_bits_min = 4085;
    constexpr std::uint64_t clusters_of_32_bits_min = 65'525;
    if (clusters < clusters_of_16_bits_min) return 12;
    return clusters < clusters_of_32_bits_min ? 16 : 32;
}

Result<void> check_boot_sector(std::string_view boot) {
    const std::uint64_t sector = number_at(boot, 11, 2);
    const std::uint64_t cluster_sectors = number_at(boot, 13, 1);
    const auto is_power = [](std::uint64_t value) {
        return value != 0 && (value & (value - 1)) == 0;
    };
    if (!is_power(sector) || sector < 512 || sector > 4096 || !is_power(cluster_sectors)) {
        return fat_is_damaged(fmt::format(
            "its boot sector has sectors of {} bytes, {} to a cluster", sector, cluster_sectors
        ));
    }
    // Without one mtools takes sizes from a table of old floppy disks instead of the boot sector.
    const std::uint64_t media = number_at(boot, 21, 1);
    if (media != 0xF0 && media < 0xF8) {
        return fat_is_damaged(fmt::format("its boot sector has the media byte 0x{:02X}", media));
    }
    return {};
}

}  // namespace

Result<FatGeometry> fat_geometry_of(std::string_view boot, std::uint64_t partition_bytes) {
    if (auto sane = check_boot_sector(boot); !sane) return tl::unexpected(sane.error());
    const std::uint64_t sector = number_at(boot, 11, 2);
    const std::uint64_t fats = number_at(boot, 16, 1);
    const std::uint64_t short_total = number_at(boot, 19, 2);
    const std::uint64_t total = short_total != 0 ? short_total : number_at(boot, 32, 4);
    const std::uint64_t short_fat = number_at(boot, 22, 2);
    const bool says_32 = short_fat == 0;
    const std::uint64_t fat = says_32 ? number_at(boot, 36, 4) : short_fat;
    FatGeometry found;
    found.cluster_bytes = sector * number_at(boot, 13, 1);
    found.fat_bytes = fat * sector;
    found.fat_at = number_at(boot, 14, 2) * sector;
    found.root_at = found.fat_at + fats * found.fat_bytes;
    found.root_bytes = number_at(boot, 17, 2) * fat_entry_bytes;
    found.data_at = found.root_at + found.root_bytes;
    if (total * sector > partition_bytes) return fat_is_damaged("it is larger than its partition");
    if (fats == 0 || fat == 0 || found.fat_at == 0 || found.data_at >= total * sector) {
        return fat_is_damaged("its boot sector leaves no room for files");
    }
    if (found.root_bytes % sector != 0 || says_32 != (found.root_bytes == 0)) {
        return fat_is_damaged(fmt::format("its top directory has {} bytes", found.root_bytes));
    }
    found.clusters = (total * sector - found.data_at) / found.cluster_bytes;
    found.bits = bits_for(found.clusters);
    if (says_32 != (found.bits == 32)) {
        return fail(fmt::format(
            "its FAT partition has {} clusters, which is FAT{}, and its boot sector says {}: make "
            "it anew with mkfs.vfat -F {}",
            found.clusters,
            found.bits,
            says_32 ? "FAT32" : "FAT12 or FAT16",
            found.bits
        ));
    }
    constexpr std::uint64_t clusters_max = 0x0FFFFFF5;
    if (found.clusters > clusters_max ||
        found.clusters + fat_first_cluster > found.fat_bytes * 8 / found.bits) {
        return fat_is_damaged("its FAT is too small for its clusters");
    }
    if (!says_32) return found;
    found.root_cluster = number_at(boot, 44, 4);
    // Linux reads the first in any case, mtools this one also where it is not said to be valid.
    constexpr std::uint64_t active = 0x0F;
    if ((number_at(boot, 40, 2) & active) != 0)
        return fat_is_damaged("its first FAT is not in use");
    return found;
}

tl::unexpected<Error> fat_is_damaged(std::string_view what) {
    return fail(fmt::format(
        "its FAT partition is hostile or damaged: {}: fetch the image again, or repair it with "
        "fsck.vfat",
        what
    ));
}

}  // namespace bramble::image
