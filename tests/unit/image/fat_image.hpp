// A small FAT filesystem, written byte by byte, so that a test can put the wrong byte where it
// wants. It refuses to know how one is read.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "provisioning/image/partition_table.hpp"

namespace bramble::image {

// One sector to a cluster, one FAT, at sector 100 of a disk. Of FAT12 and FAT16 the top directory
// has sixteen entries; of FAT32 it is cluster 2. Behind cluster 5000 there are zeros.
class FatImage {
public:
    explicit FatImage(unsigned bits) : bits_(bits) {
        clusters_ = bits == 12 ? 100 : bits == 16 ? 5000 : 66'000;
        const std::uint64_t fat_sectors = ((clusters_ + 2) * bits / 8) / 512 + 1;
        data_sector_ = 1 + fat_sectors + (bits == 32 ? 0 : 1);
        bytes_.assign((data_sector_ + std::min<std::uint64_t>(clusters_, 5000)) * 512, '\0');
        put(11, 512, 2);
        put(13, 1, 1);
        put(14, 1, 2);
        put(16, 1, 1);
        put(17, bits == 32 ? 0 : 16, 2);
        put(21, 0xF8, 1);
        put(32, sectors(), 4);
        put(bits == 32 ? 36 : 22, fat_sectors, bits == 32 ? 4 : 2);
        if (bits == 32) {
            put(44, 2, 4);
            chain({2});
        }
        put(510, 0xAA55, 2);
    }

    void put(std::uint64_t at, std::uint64_t value, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            bytes_.at(at + i) = static_cast<char>(value >> 8U * i & 0xFFU);
        }
    }

    void fat(std::uint64_t cluster, std::uint64_t value) {
        const std::uint64_t at = 512 + cluster * bits_ / 8;
        if (bits_ != 12) return put(at, value, bits_ / 8);
        const auto low = static_cast<unsigned char>(bytes_.at(at));
        const auto high = static_cast<unsigned char>(bytes_.at(at + 1));
        put(at, cluster % 2 == 0 ? (high & 0xF0U) << 8U | value : (low & 0x0FU) | value << 4U, 2);
    }

    std::uint64_t last() const { return bits_ == 32 ? 0x0FFFFFFF : (1U << bits_) - 1; }

    void chain(std::initializer_list<std::uint64_t> clusters) {
        for (auto at = clusters.begin(); at != clusters.end(); ++at) {
            fat(*at, at + 1 == clusters.end() ? last() : *(at + 1));
        }
    }

    std::uint64_t cluster_at(std::uint64_t cluster) const {
        return (data_sector_ + cluster - 2) * 512;
    }

    std::uint64_t top() const { return bits_ == 32 ? cluster_at(2) : (data_sector_ - 1) * 512; }

    // An entry of 32 bytes: `name` has eleven.
    void entry(
        std::uint64_t at,
        std::string_view name,
        unsigned attributes,
        std::uint64_t cluster,
        std::uint64_t size
    ) {
        bytes_.replace(at, name.size(), name);
        put(at + 11, attributes, 1);
        put(at + 20, cluster >> 16U, 2);
        put(at + 26, cluster, 2);
        put(at + 28, size, 4);
    }

    std::string& bytes() { return bytes_; }

    std::uint64_t clusters() const { return clusters_; }

    std::uint64_t sectors() const { return data_sector_ + clusters_; }

    Partition partition() const { return {1, 100 * sector_bytes, sectors() * 512}; }

    Disk disk() const {
        return {
            partition().begin + partition().size, [this](std::uint64_t offset, std::size_t count) {
                const std::uint64_t at = offset - partition().begin;
                std::string read = at < bytes_.size() ? bytes_.substr(at, count) : "";
                read.resize(count, '\0');
                return Result<std::string>(read);
            }};
    }

private:
    unsigned bits_;
    std::uint64_t clusters_ = 0;
    std::uint64_t data_sector_ = 0;
    std::string bytes_;
};

}  // namespace bramble::image
